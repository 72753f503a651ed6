// The openai package for Node, against a gateway: chat completions and responses.
import OpenAI from "openai";
import { ADA, CITY, PNG, SAW, TOKENOK_KEY, TOKENOK_URL, broken, check, counted, end, equal, refusals } from "./shared.mjs";

const client = new OpenAI({ baseURL: TOKENOK_URL, apiKey: TOKENOK_KEY, fetch: counted });
const user = (content) => [{ role: "user", content }];
const url = `data:image/png;base64,${PNG}`;
const tool = (name, extra = {}) => ({ type: "function", function: { name, parameters: CITY, ...extra } });
const usage = (seen) => equal([seen.prompt_tokens, seen.completion_tokens, seen.prompt_tokens_details.cached_tokens], [21, 9, 5]);

for (const model of ["on-openai", "on-responses", "on-anthropic", "on-gemini"]) {
  const chat = (fields) => client.chat.completions.create({ model, max_tokens: 200, ...fields });
  await check(`${model} plain`, async () => {
    const got = await chat({ messages: user("hi") });
    usage(got.usage);
    return equal(got.choices[0].message.content, "You said: hi");
  });
  await check(`${model} stream`, async () => {
    const stream = client.chat.completions.stream({ model, messages: user("hi there"), stream_options: { include_usage: true } });
    const got = await stream.finalChatCompletion();
    usage(got.usage);
    return equal([got.choices[0].message.content, got.choices[0].finish_reason], ["You said: hi there", "stop"]);
  });
  for (const [form, text, results] of [["tools", "weather", 1], ["parallel tools", "both", 2]]) {
    for (const stream of [false, true]) {
      await check(`${model} ${form}${stream ? " stream" : ""}`, async () => {
        const called = [];
        const run = (name) => ({ function: ({ city }) => { called.push(`${name}(${city})`); return `${name} in ${city}`; }, parse: JSON.parse });
        const tools = ["warm", "wet"].map((name) => tool(name, run(name)));
        const runner = client.chat.completions.runTools({ model, messages: user(text), tools, stream });
        const final = await runner.finalContent();
        equal(called.length, results);
        return equal(final, `The tools say: ${["warm in Graz", "wet in Graz"].slice(0, results).join("; ")}`);
      });
    }
  }
  await check(`${model} image`, async () => {
    const parts = [{ type: "text", text: "what is it?" }, { type: "image_url", image_url: { url } }];
    return equal((await chat({ messages: user(parts) })).choices[0].message.content, SAW);
  });
  await check(`${model} JSON schema`, async () => {
    const response_format = { type: "json_schema", json_schema: { name: "person", strict: true, schema: ADA } };
    const got = await client.chat.completions.parse({ model, messages: user("who?"), response_format });
    return equal(got.choices[0].message.parsed, { name: "Ada", age: 36 });
  });
  await check(`${model} cancel`, async () => {
    const stream = await chat({ messages: user("slowly"), stream: true });
    let seen = 0;
    for await (const chunk of stream) {
      seen += chunk.choices[0]?.delta?.content ? 1 : 0;
      if (seen === 3) break; // leaving the loop aborts the request
    }
    return `left after ${seen} pieces`;
  });
}

for (const model of ["on-openai", "on-responses", "on-anthropic", "on-gemini"]) {
  const text = "this is left unfinished, whatever it says";
  await check(`${model} broken stream`, async () =>
    broken(await client.chat.completions.create({ model, messages: user(text), stream: true }), (chunk) => chunk.choices[0]?.delta.content));
  await check(`responses ${model} broken stream`, async () =>
    broken(await client.responses.create({ model, input: text, store: false, stream: true }), (event) =>
      event.type === "response.output_text.delta" ? event.delta : ""));
}

for (const model of ["on-responses", "on-openai", "on-anthropic", "on-gemini"]) {
  const ask = (fields) => client.responses.create({ model, store: false, ...fields });
  await check(`responses ${model} plain`, async () => {
    const got = await ask({ input: "hi" });
    equal([got.usage.input_tokens, got.usage.output_tokens, got.usage.input_tokens_details.cached_tokens], [21, 9, 5]);
    return equal(got.output_text, "You said: hi");
  });
  await check(`responses ${model} stream`, async () => {
    const stream = client.responses.stream({ model, store: false, input: "hi there" });
    let text = "";
    stream.on("response.output_text.delta", (event) => { text += event.delta; });
    const got = await stream.finalResponse();
    return equal([text, got.output_text, got.usage.total_tokens], ["You said: hi there", "You said: hi there", 30]);
  });
  for (const [form, text, results] of [["tools", "weather", 1], ["parallel tools", "both", 2]]) {
    await check(`responses ${model} ${form}`, async () => {
      const tools = ["warm", "wet"].map((name) => ({ type: "function", name, parameters: CITY, strict: true }));
      const first = await client.responses.stream({ model, store: false, input: text, tools }).finalResponse();
      const calls = first.output.filter((item) => item.type === "function_call");
      equal(calls.length, results);
      const outputs = calls.map((call) => ({ type: "function_call_output", call_id: call.call_id,
        output: `${call.name} in ${JSON.parse(call.arguments).city}` }));
      const second = await ask({ tools, input: [...user(text), ...first.output, ...outputs] });
      return equal(second.output_text, `The tools say: ${["warm in Graz", "wet in Graz"].slice(0, results).join("; ")}`);
    });
  }
  await check(`responses ${model} image`, async () => {
    const parts = [{ type: "input_text", text: "what is it?" }, { type: "input_image", image_url: url, detail: "auto" }];
    return equal((await ask({ input: user(parts) })).output_text, SAW);
  });
  await check(`responses ${model} JSON schema`, async () => {
    const format = { type: "json_schema", name: "person", strict: true, schema: ADA };
    const got = await client.responses.parse({ model, store: false, input: "who?", text: { format } });
    return equal(got.output_parsed, { name: "Ada", age: 36 });
  });
  await check(`responses ${model} cancel`, async () => {
    const stream = await ask({ input: "slowly", stream: true });
    let seen = 0;
    for await (const event of stream) {
      seen += event.type === "response.output_text.delta" ? 1 : 0;
      if (seen === 3) break;
    }
    return `left after ${seen} pieces`;
  });
}

await check("models", async () => equal((await client.models.list()).data.some((one) => one.id === "on-gemini"), true));
await refusals(({ key, model = "on-openai", text = "hi", retries = 2 }) =>
  client.withOptions({ apiKey: key ?? TOKENOK_KEY, maxRetries: retries })
    .chat.completions.create({ model, max_tokens: 4000, messages: user(text) }));
end();
