// Passkeys: hands the page's question to the authenticator, and its answer to the page's form. No text is in here.
"use strict";

(() => {
  const form = document.querySelector("[data-passkey]");
  const can = window.PublicKeyCredential && PublicKeyCredential.parseRequestOptionsFromJSON;
  if (!form || !can) return;
  const find = (name) => form.querySelector(`[data-${name}]`);
  const go = find("go"), note = find("note");
  const options = JSON.parse(form.dataset.options);
  find("unable").hidden = true;
  go.hidden = false;
  go.focus();

  const ask = () =>
    form.dataset.passkey === "make"
      ? navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });

  go.addEventListener("click", async () => {
    go.disabled = true;
    note.hidden = true;
    try {
      const credential = await ask();
      form.elements.namedItem("answer").value = JSON.stringify(credential.toJSON());
      form.submit();
    } catch {
      note.textContent = form.dataset.failed;
      note.hidden = false;
      go.disabled = false;
    }
  });
})();
