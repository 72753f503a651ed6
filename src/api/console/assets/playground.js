// The playground with a script: answers as they are made, a way to stop them, and a conversation for each model.
// No text is in here; texts come with the page. What models write is put in as text and never as markup.
"use strict";

(() => {
  const form = document.querySelector("[data-playground]");
  if (!form || !window.ReadableStream) return;
  const find = (name, root = form) => root.querySelector(`[data-${name}]`);
  const stop = find("stop"), send = find("send"), clear = find("clear"), more = find("more");
  const prompt = form.elements.namedItem("prompt");
  const number = new Intl.NumberFormat(document.documentElement.lang);
  let aborts = [];

  const columns = [...form.querySelectorAll(".play-column")].map((element) => ({
    element,
    select: element.querySelector("select"),
    said: find("said", element),
    note: find("note", element),
    messages: [],
  }));

  const showSpare = () => {
    const spare = columns.find((one) => one.element.hasAttribute("data-spare"));
    more.hidden = !spare;
    return spare;
  };
  for (const one of columns) if (one.element.hasAttribute("data-spare")) one.element.hidden = true;
  showSpare();
  more.addEventListener("click", () => {
    const spare = showSpare();
    if (!spare) return;
    spare.element.removeAttribute("data-spare");
    spare.element.hidden = false;
    const taken = columns.map((one) => one.select.value);
    const free = [...spare.select.options].find((option) => option.value && !taken.includes(option.value));
    spare.select.value = free ? free.value : spare.select.options[1].value;
    spare.select.focus();
    showSpare();
  });

  const say = (column, role, text) => {
    const block = document.createElement("div");
    block.className = `said ${role}`;
    const paragraph = document.createElement("p");
    paragraph.textContent = text;
    block.append(paragraph);
    column.said.append(block);
    column.said.scrollTop = column.said.scrollHeight;
    return paragraph;
  };

  const complain = (column, text) => {
    const block = document.createElement("div");
    block.className = "problem";
    block.setAttribute("role", "alert");
    block.textContent = text;
    column.said.append(block);
    column.said.scrollTop = column.said.scrollHeight;
  };

  const note = (column, begun, first, usage) => {
    const parts = [];
    if (usage) {
      const tokens = (usage.prompt_tokens || 0) + (usage.completion_tokens || 0);
      parts.push(`${number.format(usage.prompt_tokens || 0)} + ${number.format(tokens - (usage.prompt_tokens || 0))}`);
      if (usage.cost !== undefined) parts.push(`${usage.cost} ${form.dataset.cost}`);
    }
    const seconds = (time) => `${number.format(Math.round((time - begun) / 10) / 100)} s`;
    if (first) parts.push(`${seconds(first)} ${form.dataset.first}`);
    parts.push(`${seconds(performance.now())} ${form.dataset.all}`);
    column.note.textContent = parts.join(" · ");
  };

  // Events of a stream: lines that begin with `data:`, with an empty line behind each event.
  const read = async (body, onData) => {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      rest += decoder.decode(value, { stream: !done });
      const lines = rest.split("\n");
      rest = lines.pop();
      for (const line of lines) if (line.startsWith("data:")) onData(line.slice(5).trim());
      if (done) return;
    }
  };

  const ask = async (column, fields, signal) => {
    const begun = performance.now();
    let first = 0, usage = null, failed = "", answer = "", paragraph = null, problem = false;
    column.note.textContent = "…";
    try {
      const headers = { "hx-request": "true" };
      const response = await fetch(`${form.getAttribute("action")}/ask`, { method: "POST", body: fields, signal, headers });
      const token = response.headers.get("x-form-token");
      if (token) for (const field of document.querySelectorAll("input[name=_csrf]")) field.value = token;
      if (response.headers.get("x-problem")) {
        column.said.insertAdjacentHTML("beforeend", await response.text());
        column.said.scrollTop = column.said.scrollHeight;
        problem = true;
      } else await read(response.body, (data) => {
        if (!data || data === "[DONE]") return;
        const event = JSON.parse(data);
        if (event.error) failed = event.error.message;
        if (event.usage) usage = event.usage;
        const text = event.choices && event.choices[0] && event.choices[0].delta && event.choices[0].delta.content;
        if (!text) return;
        first = first || performance.now();
        paragraph = paragraph || say(column, "assistant", "");
        answer += text;
        paragraph.textContent = answer;
        column.said.scrollTop = column.said.scrollHeight;
      });
    } catch (error) {
      failed = error.name === "AbortError" ? form.dataset.stopped : form.dataset.failed;
    }
    if (!answer && !usage && !failed && !problem) failed = form.dataset.failed;
    if (answer) column.messages.push({ role: "assistant", content: answer });
    else column.messages.pop();
    if (failed) complain(column, failed);
    note(column, begun, first, usage);
    return Boolean(answer);
  };

  const busy = (is) => {
    stop.hidden = !is;
    send.disabled = is;
    clear.hidden = is || !columns.some((one) => one.messages.length);
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = prompt.value.trim();
    const asked = columns.filter((one) => !one.element.hidden && one.select.value);
    if (!text || !asked.length || send.disabled) return;
    const system = form.elements.namedItem("system").value.trim();
    prompt.value = "";
    busy(true);
    aborts = [];
    const answered = await Promise.all(asked.map((column) => {
      column.messages.push({ role: "user", content: text });
      say(column, "user", text);
      const messages = system ? [{ role: "system", content: system }, ...column.messages] : column.messages;
      const fields = new URLSearchParams({
        _csrf: form.elements.namedItem("_csrf").value,
        model: column.select.value,
        messages: JSON.stringify(messages),
        tokens_max: form.elements.namedItem("tokens_max").value,
        temperature: form.elements.namedItem("temperature").value,
      });
      const abort = new AbortController();
      aborts.push(abort);
      return ask(column, fields, abort.signal);
    }));
    if (!answered.some(Boolean) && !prompt.value) prompt.value = text;
    busy(false);
    prompt.focus();
  });
  stop.addEventListener("click", () => { for (const one of aborts) one.abort(); });
  clear.addEventListener("click", () => {
    for (const one of columns) {
      one.messages = [];
      one.said.replaceChildren();
      one.note.textContent = "";
    }
    busy(false);
  });
  prompt.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
})();
