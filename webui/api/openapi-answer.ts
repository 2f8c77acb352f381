/** The two documents that describe the API and the configuration: made once, when somebody asks first. */
import { configurationJsonSchema, openApiDocument } from "./openapi.ts";
import { demand, type Exchange, sendJson } from "./exchange.ts";
import { sendPieces } from "./send-pieces.ts";

let document: Buffer | undefined;
let schema: string | undefined;

export async function openapi(exchange: Exchange): Promise<void> {
  document ??= Buffer.from(JSON.stringify(openApiDocument(exchange.routes, exchange.version)));
  await sendPieces(exchange.reply.type("application/json; charset=utf-8"), document);
}

export async function configurationSchema(exchange: Exchange): Promise<void> {
  await demand(exchange, "read");
  schema ??= JSON.stringify({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Futago configuration",
    ...configurationJsonSchema(),
  });
  await sendJson(exchange, schema);
}
