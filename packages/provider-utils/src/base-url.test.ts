import { describe, expect, it } from "vitest";
import { findBaseUrlProblem, isLoopbackHost } from "./base-url.ts";

const problemOf = (text: string) => findBaseUrlProblem(text, "https://<host>/api/v1");

describe("findBaseUrlProblem", () => {
  it.each([
    "https://a--b.example.co:8443/x/",
    "https://xn--bcher-kva.example",
    "https://[2001:db8::1]/api",
    "http://localhost:4100/eightbyeight",
    "http://127.0.0.1",
    "http://[::1]:80/",
  ])("should take %s [F167 part: URLs]", (text) => {
    expect(problemOf(text)).toBeUndefined();
  });

  it.each([
    ["htp:/x", "must begin with https://"],
    ["desk", "is not a URL; it looks like https://<host>/api/v1"],
    ["http://desk.example", "http is for this machine only"],
    ["http://127.0.0.1.example", "http is for this machine only"],
    ["https://ann:word@desk.example", "credentials belong into apiKey"],
    ["https://desk.example?a=b", "query"],
    ["https://desk.example#a", "fragment"],
  ])("should say what is wrong with %s [F167 part: URLs]", (text, problem) => {
    expect(problemOf(text)).toContain(problem);
  });
});

describe("isLoopbackHost", () => {
  it("should know this machine and nothing else", () => {
    expect(["localhost", "a.localhost", "127.1.2.3", "[::1]"].every(isLoopbackHost)).toBe(true);
    expect(["localhost.example", "10.0.0.1", "[::2]", "1127.0.0.1"].some(isLoopbackHost)).toBe(false);
  });
});
