// Pushes the first stream of a file to an RTMP address, in real time and without encoding:
//
//   node --input-type=module --eval "$(cat push.mjs)" FILE URL
//
// started where node-av is installed. The FLV muxer is FFmpeg's own; HEVC, AV1 and VP9 go out as Enhanced RTMP.
import { setTimeout as wait } from 'node:timers/promises';
import { FFmpegError, FormatContext, Log, Packet } from 'node-av/lib';

const [file, url] = process.argv.slice(1);
const warnings = 24; // AV_LOG_WARNING

function check(code, attempt) {
  if (code < 0) {
    throw new Error(`${attempt}: ${FFmpegError.strerror(code)}`);
  }
}

// open returns the file's context and its first stream.
async function open() {
  const input = new FormatContext();
  check(await input.openInput(file), `open ${file}`);
  check(await input.findStreamInfo(), `read ${file}`);
  return [input, input.streams[0]];
}

async function publish(stream) {
  const output = new FormatContext();
  check(output.allocOutputContext2(null, 'flv', url), 'make the muxer');
  const copy = output.newStream();
  check(stream.codecpar.copy(copy.codecpar), 'copy the codec parameters');
  copy.codecpar.codecTag = 0; // that of the file's container means nothing here
  copy.timeBase = stream.timeBase;
  check(await output.openOutput(), 'connect');
  check(await output.writeHeader(), 'begin the push');
  return [output, copy];
}

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
Log.setLevel(warnings);

const [input, from] = await open();
const [output, to] = await publish(from);
const packet = new Packet();
packet.alloc();
let begun; // when the packet with decoding time 0 was due
while (!stop.signal.aborted && (await input.readFrame(packet)) >= 0) {
  if (packet.streamIndex === from.index) {
    const at = (Number(packet.dts) * from.timeBase.num * 1000) / from.timeBase.den;
    begun ??= performance.now() - at;
    await wait(Math.max(0, begun + at - performance.now()), undefined, { signal: stop.signal }).catch(() => {});
    packet.rescaleTs(from.timeBase, to.timeBase);
    packet.streamIndex = to.index;
    check(await output.writeFrame(packet), 'send a picture');
  }
  packet.unref();
}
check(await output.writeTrailer(), 'end the push');
await output.closeOutput();
