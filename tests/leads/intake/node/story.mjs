// node story.mjs SDK HOST KEY COUNT SECONDS: COUNT calls of ten users, spread over SECONDS; none may fail.
import Rudder from "@rudderstack/rudder-sdk-node";
import { Analytics } from "@segment/analytics-node";

const [sdk, host, writeKey, count, seconds] = process.argv.slice(2);
const failures = [];
const pause = () => new Promise((done) => setTimeout(done, (Number(seconds) * 1000) / Number(count)));
const userId = (n) => `u-${sdk}-${n % 10}`;
const identity = (n) => ({ userId: userId(n), traits: { email: `${userId(n)}@story.example` } });

const senders = {
  segment_node: () => {
    const analytics = new Analytics({ writeKey, host, flushAt: 20, flushInterval: 200, maxRetries: 20 });
    analytics.on("error", (error) => failures.push(error));
    return {
      call: (kind, message) => analytics[kind](message),
      finish: () => analytics.closeAndFlush({ timeout: 60000 }),
    };
  },
  rudder_node: () => {
    const analytics = new Rudder(writeKey, { dataPlaneUrl: host, flushAt: 20, flushInterval: 200, logLevel: "off", retryCount: 10 });
    const promises = [];
    const told = (kind, message) =>
      new Promise((done) => analytics[kind](message, (error) => { if (error) failures.push(error); done(); }));
    return {
      call: (kind, message) => promises.push(told(kind, message)),
      finish: () => Promise.all(promises),
    };
  },
};
const { call, finish } = senders[sdk]();
for (let n = 0; n < Number(count); n++) {
  if (n < 10) call("identify", identity(n));
  else call("track", { userId: userId(n), event: "Story Told", properties: { n, sdk } });
  await pause();
}
await finish();
if (failures.length) throw failures[0];
process.exit(0);
