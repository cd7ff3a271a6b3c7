package testkit

import (
	"fmt"
	"strconv"
	"testing"
)

// PushGStreamer pushes to an RTMP address by GStreamer's rtmp2sink, which
// speaks another dialect of RTMP than ffmpeg does.
//
// Of the source it takes the size, the rate and the pattern, which is a name
// that GStreamer's videotestsrc knows ("ball", "smpte", "snow"; empty means
// "smpte"); strip, clock and colours are for ffmpeg only. Of the encoding it
// takes the distance of key frames and the duration.
func PushGStreamer(t testing.TB, url string, source Source, encoding Encoding) *Process {
	t.Helper()
	return pushGStreamer(t, "rtmp2sink", url, source, encoding)
}

// PushLibrtmp is [PushGStreamer] by rtmpsink, whose RTMP is that of librtmp, as in
// many old encoders.
func PushLibrtmp(t testing.TB, url string, source Source, encoding Encoding) *Process {
	t.Helper()
	return pushGStreamer(t, "rtmpsink", url, source, encoding)
}

func pushGStreamer(t testing.TB, sink, url string, source Source, encoding Encoding) *Process {
	t.Helper()
	pattern := source.Pattern
	if pattern == "" {
		pattern = "smpte"
	}
	source = source.withDefaults()
	buffers := -1 // without end
	if encoding.Duration > 0 {
		buffers = max(1, int(encoding.Duration.Seconds()*float64(source.Rate)+0.5))
	}
	return Start(t, "gst-launch-1.0", "--quiet", "--eos-on-shutdown",
		"videotestsrc", "is-live=true", "pattern="+pattern, "num-buffers="+strconv.Itoa(buffers), "!",
		fmt.Sprintf("video/x-raw,format=I420,width=%d,height=%d,framerate=%d/1", source.Width, source.Height, source.Rate), "!",
		"x264enc", "tune=zerolatency", "speed-preset=veryfast", "threads=1",
		"key-int-max="+strconv.Itoa(encoding.keyFrameDistance(source)), "!",
		"video/x-h264,profile=main", "!",
		"flvmux", "streamable=true", "!",
		// gst-launch reads its arguments as one line: quotes keep the address's own signs together.
		sink, fmt.Sprintf("location=%q", url))
}
