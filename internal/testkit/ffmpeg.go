package testkit

import (
	"slices"
	"strconv"
	"testing"
	"time"
)

// Encoding says how a source is encoded and for how long.
type Encoding struct {
	// Codec is ffmpeg's name of the encoder; empty means "libx264".
	Codec string
	// KeyFrames is the time from one key frame to the next, kept exactly; zero means 2 s.
	KeyFrames time.Duration
	// Duration ends the stream; zero means that a push goes on until it is
	// stopped. A file needs one.
	Duration time.Duration
	// Audio adds a quiet AAC tone.
	Audio bool
	// Args are further options of ffmpeg for the output, after the others, so
	// that they win: {"-bf", "2"}, {"-crf", "18"}, {"-x264-params", "intra-refresh=1"}.
	Args []string
}

// PushFFmpeg pushes a source to an RTMP address in real time. Frames leave as
// soon as they are made: no B-frames and no look-ahead unless Args ask for them.
func PushFFmpeg(t testing.TB, url string, source Source, encoding Encoding) *Process {
	t.Helper()
	args := ffmpegQuiet()
	args = append(args, source.inputs(encoding, "-re")...)
	args = append(args, encodingArgs(source, encoding)...)
	return Start(t, "ffmpeg", append(args, "-f", "flv", url)...)
}

// PushFile pushes a file as it is, in real time, without encoding: the cheapest
// publisher. args stand before the input, {"-stream_loop", "-1"} for example.
func PushFile(t testing.TB, url, path string, args ...string) *Process {
	t.Helper()
	args = append(ffmpegQuiet(), append(slices.Clone(args), "-re", "-i", path, "-c", "copy", "-f", "flv", url)...)
	return Start(t, "ffmpeg", args...)
}

func ffmpegQuiet() []string {
	return []string{"-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning", "-y"}
}

// inputs are the picture and, if wanted, the tone. each stands before every input.
func (s Source) inputs(encoding Encoding, each ...string) []string {
	args := append(slices.Clone(each), "-f", "lavfi", "-i", s.Graph())
	if encoding.Audio {
		args = append(args, each...)
		args = append(args, "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100,volume=0.1")
	}
	return args
}

// encodingArgs are the options of the output. One thread: the same bytes at every run, and the other cores stay free.
func encodingArgs(source Source, encoding Encoding) []string {
	source = source.withDefaults()
	codec := encoding.Codec
	if codec == "" {
		codec = "libx264"
	}
	args := []string{"-c:v", codec, "-threads", "1"}
	if codec == "libx264" {
		args = append(args, "-preset", "veryfast", "-tune", "zerolatency")
	}
	args = append(args, "-g", strconv.Itoa(encoding.keyFrameDistance(source)), "-sc_threshold", "0")
	args = append(args, source.encoderColors()...)
	if encoding.Audio {
		args = append(args, "-c:a", "aac", "-b:a", "64k")
	}
	if encoding.Duration > 0 {
		args = append(args, "-t", strconv.FormatFloat(encoding.Duration.Seconds(), 'f', 3, 64))
	}
	return append(args, encoding.Args...)
}

// keyFrameDistance is the number of frames from one key frame to the next.
func (e Encoding) keyFrameDistance(source Source) int {
	distance := e.KeyFrames
	if distance == 0 {
		distance = 2 * time.Second
	}
	return max(1, int(distance.Seconds()*float64(source.withDefaults().Rate)+0.5))
}
