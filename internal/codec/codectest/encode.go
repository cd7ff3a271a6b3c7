package codectest

import (
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stillcast/stillcast/internal/media"
)

// encoding is how ffmpeg makes a clip of a codec: fast, of high quality.
type encoding struct {
	format string // container
	args   []string
}

func encodingOf(t testing.TB, codec media.Codec) encoding {
	t.Helper()
	switch codec {
	case media.H264:
		return encoding{"flv", []string{"-c:v", "libx264", "-preset", "veryfast", "-threads", "2", "-crf", "8"}}
	case media.HEVC:
		return encoding{"mp4", []string{"-c:v", "libx265", "-preset", "ultrafast", "-crf", "6", "-tag:v", "hvc1", "-x265-params", "log-level=error"}}
	case media.AV1:
		return encoding{"mp4", []string{"-c:v", "libaom-av1", "-usage", "realtime", "-cpu-used", "8", "-crf", "8", "-b:v", "0", "-threads", "2"}}
	case media.VP9:
		return encoding{"ivf", []string{"-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-crf", "4", "-b:v", "0", "-threads", "2"}}
	case media.VP8:
		return encoding{"ivf", []string{"-c:v", "libvpx", "-deadline", "realtime", "-crf", "4", "-qmin", "1", "-qmax", "8", "-b:v", "40M", "-threads", "2"}}
	}
	t.Fatalf("no encoder is known for the codec %q", codec)
	return encoding{}
}

// Encode encodes frames of a source of ffmpeg's lavfi by a codec, in high
// quality. args are further options of ffmpeg for the output.
func Encode(t testing.TB, codec media.Codec, source string, frames int, args ...string) Clip {
	t.Helper()
	return encode(t, encodingOf(t, codec), source, frames, args)
}

// EncodeMP4 is [Encode] into an MP4 file, whose record says what VP9 and VP8 do not.
func EncodeMP4(t testing.TB, codec media.Codec, source string, frames int, args ...string) Clip {
	t.Helper()
	how := encodingOf(t, codec)
	how.format = "mp4"
	return encode(t, how, source, frames, args)
}

func encode(t testing.TB, how encoding, source string, frames int, args []string) Clip {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clip."+how.format)
	command := []string{"-f", "lavfi", "-i", source, "-frames:v", strconv.Itoa(frames), "-an"}
	command = append(append(command, how.args...), args...)
	run(t, append(command, "-f", how.format, path)...)
	return Read(t, path)
}
