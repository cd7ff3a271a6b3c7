package testkit

import (
	_ "embed"
	"os/exec"
	"path/filepath"
	"testing"
)

//go:embed nodeav/push.mjs
var nodeAVScript string

//go:embed nodeav/package-lock.json
var nodeAVLock []byte

// PushFFmpeg8 pushes a file as it is, in real time, by the FLV muxer and the
// RTMP client of FFmpeg 8: HEVC, AV1 and VP9 go out as Enhanced RTMP, which the
// ffmpeg of [PushFile] cannot write. The file may be of any container that
// FFmpeg reads; its first stream is pushed.
func PushFFmpeg8(t testing.TB, url, path string) *Process {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatalf("finding %s: %v", path, err)
	}
	cmd := exec.Command("node", "--input-type=module", "--eval", nodeAVScript, path, url) //nolint:noctx // see start
	cmd.Dir = NPMFolder(t, "nodeav", nodeAVLock)
	return start(t, cmd)
}
