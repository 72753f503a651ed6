// @anthropic-ai/sdk, the TypeScript SDK, against a gateway: messages.
import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import { ADA, CITY, PNG, SAW, TOKENOK_KEY, TOKENOK_URL, broken, check, counted, end, equal, refusals } from "./shared.mjs";

const client = new Anthropic({ baseURL: TOKENOK_URL.replace(/\/v1$/, ""), apiKey: TOKENOK_KEY, authToken: null, fetch: counted });
const user = (content) => [{ role: "user", content }];
const words = (message) => message.content.map((block) => block.text ?? "").join("");
const usage = (seen) => equal([seen.input_tokens, seen.output_tokens, seen.cache_read_input_tokens], [16, 9, 5]);

for (const model of ["on-anthropic", "on-openai", "on-responses", "on-gemini"]) {
  const ask = (fields) => client.messages.create({ model, max_tokens: 200, ...fields });
  await check(`${model} plain`, async () => {
    const got = await ask({ messages: user("hi") });
    usage(got.usage);
    return equal(words(got), "You said: hi");
  });
  await check(`${model} stream`, async () => {
    const got = await client.messages.stream({ model, max_tokens: 200, messages: user("hi there") }).finalMessage();
    usage(got.usage);
    return equal([words(got), got.stop_reason], ["You said: hi there", "end_turn"]);
  });
  for (const [form, text, results] of [["tools", "weather", 1], ["parallel tools", "both", 2]]) {
    for (const streamed of [false, true]) {
      await check(`${model} ${form}${streamed ? " stream" : ""}`, async () => {
        const tools = ["warm", "wet"].map((name) => ({ name, input_schema: CITY }));
        const fields = { model, max_tokens: 200, tools, messages: user(text) };
        const first = streamed ? await client.messages.stream(fields).finalMessage() : await ask(fields);
        equal(first.stop_reason, "tool_use");
        const calls = first.content.filter((block) => block.type === "tool_use");
        const content = calls.map((call) => ({ type: "tool_result", tool_use_id: call.id, content: `${call.name} in ${call.input.city}` }));
        const turns = [...user(text), { role: "assistant", content: first.content }, { role: "user", content }];
        const second = await ask({ tools, messages: turns });
        return equal(words(second), `The tools say: ${["warm in Graz", "wet in Graz"].slice(0, results).join("; ")}`);
      });
    }
  }
  await check(`${model} toolRunner`, async () => {
    const warm = betaTool({ name: "warm", description: "How warm.", inputSchema: CITY, run: ({ city }) => `warm in ${city}` });
    const fields = { model, max_tokens: 200, tools: [warm], messages: user("weather") };
    return equal(words(await client.beta.messages.toolRunner(fields)), "The tools say: warm in Graz");
  });
  await check(`${model} image`, async () => {
    const source = { type: "base64", media_type: "image/png", data: PNG };
    return equal(words(await ask({ messages: user([{ type: "text", text: "what is it?" }, { type: "image", source }]) })), SAW);
  });
  await check(`${model} JSON schema`, async () => {
    const output_config = { format: { type: "json_schema", schema: ADA } };
    const got = await client.messages.parse({ model, max_tokens: 200, messages: user("who?"), output_config });
    return equal(JSON.parse(words(got)), { name: "Ada", age: 36 });
  });
  await check(`${model} cancel`, async () => {
    const stream = await ask({ messages: user("slowly"), stream: true });
    let seen = 0;
    for await (const event of stream) {
      seen += event.delta?.type === "text_delta" ? 1 : 0;
      if (seen === 3) break;
    }
    return `left after ${seen} pieces`;
  });
  await check(`${model} broken stream`, async () =>
    broken(await ask({ messages: user("this is left unfinished, whatever it says"), stream: true }), (event) => event.delta?.text));
  await check(`${model} count_tokens`, async () =>
    `${(await client.messages.countTokens({ model, messages: user("hi there") })).input_tokens} tokens`);
}

await check("models", async () => {
  const names = [];
  for await (const one of client.models.list()) names.push(one.id);
  return equal(names.includes("on-gemini"), true);
});
await refusals(({ key, model = "on-anthropic", text = "hi", retries = 2 }) =>
  client.withOptions({ apiKey: key ?? TOKENOK_KEY, maxRetries: retries })
    .messages.create({ model, max_tokens: 4000, messages: user(text) }));
end();
