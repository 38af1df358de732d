import { describe, expect, it } from "vitest";
import { buildAgentAssistLink, type AgentAssistLink } from "./eightbyeight-agent-assist.ts";

const documented: AgentAssistLink = {
  baseUrl: "https://agent-assist-dev.cognigy.ai/",
  sessionId: "session-eb01f5cc-72ad-4eed-a796-595814c3df07",
  userId: "228c53b1-8fcc-4259-b0cc-35444208601d",
  urlToken: "0a6750115fb3a4f7a6211d18bda6799aaf10ee22235c68e8292840fb0abf1bab",
  organisationId: "63babf6e92add771923e87b7",
  projectId: "63c143a569855a33aa5bcfdd",
  configId: "a630b086-ca34-4ac9-8b8f-76a2ba1520a6",
};
const mandatory: AgentAssistLink = { baseUrl: "https://copilot.example", sessionId: "s", userId: "u", urlToken: "t" };

describe("the link to an Agent Assist workspace", () => {
  it("should be the documented one, to the letter", () => {
    expect(buildAgentAssistLink(documented)).toBe(
      "https://agent-assist-dev.cognigy.ai/?sessionId=session-eb01f5cc-72ad-4eed-a796-595814c3df07&userId=228c53b1-8fcc-4259-b0cc-35444208601d&URLToken=0a6750115fb3a4f7a6211d18bda6799aaf10ee22235c68e8292840fb0abf1bab&organisationId=63babf6e92add771923e87b7&projectId=63c143a569855a33aa5bcfdd&configId=a630b086-ca34-4ac9-8b8f-76a2ba1520a6",
    );
  });

  it("should name only what is given, in the same order, whatever order it is given in", () => {
    expect(buildAgentAssistLink(mandatory)).toBe("https://copilot.example/?sessionId=s&userId=u&URLToken=t");
    const { urlToken, userId, sessionId, baseUrl } = mandatory;
    expect(
      buildAgentAssistLink({ auth: "jwt", configId: "c", urlToken, organisationId: "", projectId: "  ", userId, sessionId, baseUrl }),
    ).toBe("https://copilot.example/?sessionId=s&userId=u&URLToken=t&configId=c&auth=jwt");
  });

  it("should keep a path and what stands in the address already", () => {
    expect(buildAgentAssistLink({ ...mandatory, baseUrl: "https://copilot.example/team/a?theme=dark" })).toBe(
      "https://copilot.example/team/a?theme=dark&sessionId=s&userId=u&URLToken=t",
    );
  });

  it("should encode what would mean something in an address", () => {
    const link = buildAgentAssistLink({ ...mandatory, sessionId: "a&b=c d/é#😀", userId: "x+y" });
    const { searchParams, hash } = new URL(link ?? "");
    expect([searchParams.get("sessionId"), searchParams.get("userId"), hash]).toEqual(["a&b=c d/é#😀", "x+y", ""]);
  });

  it.each([
    { sessionId: undefined },
    { userId: " " },
    { urlToken: "" },
    { baseUrl: "http://copilot.example" },
    { baseUrl: "http://localhost" },
    { baseUrl: "copilot.example" },
    { baseUrl: "javascript:alert(1)" },
  ])("should be no link at all with %j", (change) => {
    expect(buildAgentAssistLink({ ...mandatory, ...change })).toBeUndefined();
  });
});
