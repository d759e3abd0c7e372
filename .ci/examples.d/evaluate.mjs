// Evaluates the JSONata texts of a state ({% … %}) like Step Functions: `{"value": …, "states": …}` on standard input, JSON on output.
import jsonata from "jsonata";

async function evaluated(value, states) {
  if (Array.isArray(value)) return Promise.all(value.map((member) => evaluated(member, states)));
  if (value && typeof value === "object") {
    const members = Object.entries(value).map(async ([key, member]) => [key, await evaluated(member, states)]);
    return Object.fromEntries(await Promise.all(members));
  }
  const text = typeof value === "string" ? value.match(/^\{%(.*)%\}$/s) : null;
  if (!text) return value;
  const expression = jsonata(text[1]);
  expression.registerFunction("parse", (json) => JSON.parse(json));
  const result = await expression.evaluate(undefined, { states });
  // Step Functions ends the execution with an error, too.
  if (result === undefined) throw new Error(`${value} has no value`);
  return result;
}

let input = "";
for await (const chunk of process.stdin) input += chunk;
const { value, states } = JSON.parse(input);
console.log(JSON.stringify(await evaluated(value, states)));
