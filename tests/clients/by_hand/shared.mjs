// What the Node programs share: counted requests, one line per check, an image.
export const { TOKENOK_URL, TOKENOK_KEY, TOKENOK_POOR_KEY, TOKENOK_LIMITED_KEY } = process.env;
export const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
export const SAW = "I see image/png of 70 bytes";
export const ADA = { type: "object", properties: { name: { type: "string" }, age: { type: "integer" } },
  required: ["name", "age"], additionalProperties: false };
export const CITY = { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false };

let sent = 0;
let waits = [];
export const counted = (url, init) => { sent += 1; waits.push(Date.now()); return fetch(url, init); };
let failed = 0;

export async function check(name, run) {
  sent = 0;
  waits = [];
  try {
    const seen = await run();
    console.log(`ok    ${name}: ${seen}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}: ${error?.constructor?.name} ${error?.status ?? ""} ${error?.message}`);
  }
}

export function equal(seen, wanted) {
  const [a, b] = [JSON.stringify(seen), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${a} is not ${b}`);
  return a;
}

// A stream that the upstream cut: what was seen, and the error at its end.
export async function broken(stream, textOf) {
  let text = "";
  try {
    for await (const event of stream) text += textOf(event) ?? "";
  } catch (error) {
    return `${error.constructor.name} after ${JSON.stringify(text)}: ${error.message.slice(0, 90)}`;
  }
  throw new Error("it ended as if it were whole");
}

// How an error is shown, and how many requests it took.
export async function refused(run) {
  try {
    await run();
  } catch (error) {
    const gaps = waits.slice(1).map((at, place) => `${((at - waits[place]) / 1000).toFixed(1)} s`);
    const after = error.headers?.get?.("retry-after");
    return `${error.constructor.name} ${error.status} code=${error.code ?? error.error?.error?.code ?? error.error?.error?.type}` +
      ` requests=${sent}${gaps.length ? ` after ${gaps}` : ""}${after ? ` retry-after=${after}` : ""}`;
  }
  throw new Error("it was served");
}

export async function refusals(ask, keys = { poor: TOKENOK_POOR_KEY, limited: TOKENOK_LIMITED_KEY }) {
  await check("401", () => refused(() => ask({ key: "tk_live_wrong" })));
  await check("402", () => refused(() => ask({ key: keys.poor })));
  await check("404", () => refused(() => ask({ model: "no-such-model" })));
  await check("429 of the upstream", () => refused(() => ask({ model: "fail-429", text: "fail 429" })));
  await check("500 of the upstream", () => refused(() => ask({ model: "fail-500", text: "fail 500" })));
  await check("429 of the gateway", async () => {
    const many = Array.from({ length: 4 }, () => ask({ key: keys.limited, retries: 0 }));
    const ended = await Promise.allSettled(many);
    const error = ended.find((one) => one.status === "rejected")?.reason;
    const after = error?.headers?.get?.("retry-after");
    return `${error?.constructor?.name} ${error?.status} retry-after=${after}`;
  });
}

export function end() {
  console.log(failed ? `${failed} failed` : "all as wanted");
  process.exitCode = failed ? 1 : 0;
}
