import type { ConnectionFinding } from "@handover/core";

export function ok(code: string, message: string): ConnectionFinding {
  return { level: "ok", code, message };
}

export function warning(code: string, message: string): ConnectionFinding {
  return { level: "warning", code, message };
}

export function error(code: string, message: string): ConnectionFinding {
  return { level: "error", code, message };
}
