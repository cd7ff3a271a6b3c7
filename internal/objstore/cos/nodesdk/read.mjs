// Reads objects by the official client of COS for Node.js, and fails unless they are what the one argument says.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import http from "node:http";
import { createRequire } from "node:module";

const COS = createRequire(process.cwd() + "/")("cos-nodejs-sdk-v5");
const { proxy, id, key, token, bucket, region, objects } = JSON.parse(process.argv[1]);
const account = { SecretId: id, SecretKey: key, SecurityToken: token, Protocol: "http:", Proxy: proxy };
const cos = new COS(account);
const sha256 = (body) => createHash("sha256").update(body).digest("hex");

// Over the proxy, as the client itself does it: the host is that of COS.
const get = (address) =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(proxy);
    const request = http.get({ hostname, port, path: address, headers: { Host: new URL(address).host } }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("end", () => resolve({ status: answer.statusCode, body: Buffer.concat(chunks) }));
    });
    request.on("error", reject);
  });

for (const object of objects) {
  const at = { Bucket: bucket, Region: region, Key: object.key };
  const head = await cos.headObject(at);
  const got = await cos.getObject(at);
  for (const answer of [head, got]) {
    assert.equal(answer.statusCode, 200, object.key);
    assert.equal(answer.headers["content-type"], object.contentType, object.key);
    assert.equal(answer.headers["cache-control"], object.cacheControl, object.key);
    assert.equal(answer.headers["content-length"], String(object.size), object.key);
    assert.match(answer.headers["x-cos-hash-crc64ecma"], /^\d+$/, object.key);
    assert.ok(answer.RequestId && answer.ETag, object.key);
    for (const [name, value] of Object.entries(object.metadata)) {
      assert.equal(answer.headers["x-cos-meta-" + name], value, object.key);
    }
  }
  assert.equal(sha256(got.Body), object.sha256, object.key);

  const url = await new Promise((resolve, reject) => {
    cos.getObjectUrl({ ...at, Sign: true, Expires: 60 }, (error, data) => (error ? reject(error) : resolve(data.Url)));
  });
  const signed = await get(url);
  assert.equal(signed.status, 200, url + ": " + signed.body);
  assert.equal(sha256(signed.body), object.sha256, url);
  const unsigned = await get(url.replace(/\?.*/, ""));
  assert.equal(unsigned.status, 403, object.key);
}

const none = { Bucket: bucket, Region: region, Key: "none.jpg" };
await assert.rejects(cos.getObject(none), { code: "NoSuchKey", statusCode: 404 });
const stranger = new COS({ ...account, SecretKey: "another-key" });
await assert.rejects(stranger.getObject({ ...none, Key: objects[0].key }), { code: "SignatureDoesNotMatch", statusCode: 403 });
console.log("read", objects.length);
