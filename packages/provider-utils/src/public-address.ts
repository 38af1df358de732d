import { BlockList, isIP } from "node:net";

/** Addresses of this machine, of its network, and of nobody. */
const inner = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
] as const)
  inner.addSubnet(network, prefix, "ipv4");
// Those that carry an address of version 4, which may be an inner one, and examples.
inner.addSubnet("2001::", 32, "ipv6");
inner.addSubnet("2001:db8::", 32, "ipv6");
inner.addSubnet("2002::", 16, "ipv6");
inner.addSubnet("3fff::", 20, "ipv6");

const outer = new BlockList();
outer.addSubnet("2000::", 3, "ipv6");

/** True for an IP address that leads out into the internet; false for one of a private network, and for what is no address. */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 4) return !inner.check(address, "ipv4");
  return version === 6 && outer.check(address, "ipv6") && !inner.check(address, "ipv6");
}
