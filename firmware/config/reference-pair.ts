/** The section of docs/configuration.md that shows a whole document. */
export const wholePair = `## A whole pair

Two boxes between the network \`wan\` and the servers in \`lan\`, with a cable from box to box (\`sync\`). The pair answers at
10.1.0.1 for a web service, whose three servers have 10.2.0.1 as their gateway. Both boxes are given the same file:

\`\`\`json
{
  "system": { "hostname": { "a": "edge-a", "b": "edge-b" }, "timezone": "Asia/Tokyo" },
  "interfaces": [
    { "name": "wan", "device": "eth0", "addresses": { "a": ["10.1.0.2/24"], "b": ["10.1.0.3/24"] } },
    { "name": "lan", "device": "eth1", "addresses": { "a": ["10.2.0.2/24"], "b": ["10.2.0.3/24"] } },
    { "name": "sync", "device": "eth2", "addresses": { "a": ["10.3.0.1/30"], "b": ["10.3.0.2/30"] } }
  ],
  "routes": [{ "to": "default", "via": "10.1.0.254" }],
  "pair": {
    "witnesses": ["10.1.0.254"],
    "heartbeat": { "over": ["sync", "lan", "wan"], "profile": "default" }
  },
  "failoverGroups": [
    {
      "name": "edge",
      "preferred": "a",
      "preempt": false,
      "virtualRouters": [
        { "name": "front", "interface": "wan", "vrid": 10, "addresses": ["10.1.0.1/24"] },
        { "interface": "lan", "vrid": 11, "addresses": ["10.2.0.1/24"] }
      ]
    }
  ],
  "pools": [
    {
      "name": "web",
      "backends": [
        { "name": "s1", "address": "10.2.0.11", "port": 80 },
        { "name": "s2", "address": "10.2.0.12", "port": 80, "weight": 2 },
        { "name": "s3", "address": "10.2.0.13", "port": 80, "backup": true }
      ],
      "check": { "type": "http", "path": "/", "intervalMs": 1000, "timeoutMs": 500 }
    }
  ],
  "services": [{ "name": "www", "address": "front", "protocol": "tcp", "port": 80, "pool": "web", "mode": "nat" }]
}
\`\`\`

Each box has an address of its own beside the virtual one. A box alone has no \`pair\`, and one value where this document
has \`{"a": …, "b": …}\`.`;
