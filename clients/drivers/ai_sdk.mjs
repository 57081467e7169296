// The checks with the AI SDK and its Alibaba provider. The argument is a task in JSON;
// the last line of the output is its value, or the name and the message of its error.

import { createAlibaba } from "@ai-sdk/alibaba";
import { generateText, hasToolCall, Output, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const { action, url, key, prompts } = JSON.parse(process.argv[2]);
const alibaba = createAlibaba({ baseURL: url, apiKey: key });
const thinks = (enableThinking) => ({ alibaba: { enableThinking } });
const options = (model, prompt, more = {}) => ({
  model: alibaba(model),
  prompt,
  maxRetries: 0,
  ...more,
});

const person = z.object({ name: z.string(), age: z.number().int() });
const report = z.object({ city: z.string(), degrees: z.number().int() });
const called = [];
const weather = tool({
  description: "Get the weather of a city",
  inputSchema: z.object({ city: z.string().describe("The city") }),
  execute: ({ city }) => {
    called.push({ city });
    return `It is sunny in ${city}, with 21 degrees.`;
  },
});

const actions = {
  async plain() {
    const { text, usage } = await generateText(options("qwen-plus", prompts.tall));
    return { text, usage: [usage.inputTokens, usage.outputTokens] };
  },

  async stream() {
    const pieces = [];
    const { textStream } = streamText(options("qwen-plus", prompts.tall));
    for await (const piece of textStream) pieces.push(piece);
    return pieces;
  },

  async thinking() {
    const more = { providerOptions: thinks(true) };
    const answer = await generateText(options("qwen3.7-plus", prompts.tall, more));
    return { reasoning: answer.reasoningText, text: answer.text };
  },

  async tools() {
    const more = { tools: { get_weather: weather }, stopWhen: stepCountIs(5) };
    const { text } = await generateText(options("qwen-plus", prompts.question, more));
    return { arguments: called[0], text };
  },

  async agent() {
    const answer = await generateText(
      options("qwen-plus", prompts.question, {
        tools: {
          get_weather: weather,
          report: tool({ description: "Report the weather", inputSchema: report }),
        },
        toolChoice: "required",
        stopWhen: [hasToolCall("report"), stepCountIs(5)],
      }),
    );
    return answer.toolCalls.find((call) => call.toolName === "report")?.input;
  },

  async structured() {
    const more = {
      output: Output.object({ schema: person }),
      providerOptions: thinks(false),
    };
    const answer = await generateText(options("qwen3.7-plus", prompts.extract, more));
    return answer.output;
  },

  async image() {
    const content = [
      { type: "text", text: prompts.rex },
      { type: "file", mediaType: "image/png", data: new URL(prompts.image) },
    ];
    const messages = [{ role: "user", content }];
    const { text } = await generateText(
      options("qwen3-vl-flash", undefined, { messages }),
    );
    return text;
  },

  async error() {
    return (await generateText(options(prompts.unknown, "Hi"))).text;
  },
};

try {
  console.log(JSON.stringify({ value: await actions[action]() }));
} catch (error) {
  console.log(JSON.stringify({ error: error.name, message: error.message }));
}
