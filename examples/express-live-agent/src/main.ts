import { once } from "node:events";
import { createApp } from "./create-app.ts";
import { createRuntime } from "./create-runtime.ts";

const runtime = await createRuntime(process.env);
await runtime.start();

const server = createApp(runtime).listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1");
await once(server, "listening");
console.log("Listening:", server.address());

process.once("SIGTERM", () => {
  server.close(() => void runtime.stop());
  server.closeAllConnections();
});
