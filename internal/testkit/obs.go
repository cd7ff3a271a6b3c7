package testkit

import (
	"bufio"
	"encoding/json"
	"fmt"
	"image/color"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// obsName is what the profile and the scene collection are called.
const obsName = "stillcast"

// PushOBS pushes a picture of one colour, with silence, to an RTMP address by OBS Studio on a display of its own, as its
// button "Start Streaming" does. It is some seconds until OBS connects. What the user has set up in OBS is not touched.
//
// Of the source it takes the size and the rate; of the encoding the distance of key frames, and the duration, rounded up
// to whole seconds, after which OBS stops streaming in order and stays open.
func PushOBS(t testing.TB, url string, source Source, encoding Encoding, fill color.RGBA) *Process {
	t.Helper()
	obs, err := exec.LookPath("obs")
	if err != nil {
		t.Fatalf("finding OBS (scripts/setup.sh test installs it): %v", err)
	}
	home := t.TempDir()
	profile := obsProfile{url: url, source: source.withDefaults(), encoding: encoding, fill: fill}
	profile.write(t, filepath.Join(home, ".config", "obs-studio"))
	private := filepath.Join(home, "run")
	if err := os.Mkdir(private, 0o700); err != nil {
		t.Fatalf("making a folder for OBS: %v", err)
	}
	// OBS logs to standard output.
	cmd := exec.Command("sh", "-c", `exec "$@" >&2`, "sh", obs, //nolint:noctx // see start
		"--startstreaming", "--minimize-to-tray", "--multi")
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_RUNTIME_DIR=" + private, "DISPLAY=" + startDisplay(t),
		// A display that is not seen has no graphics card.
		"QT_QPA_PLATFORM=xcb", "LIBGL_ALWAYS_SOFTWARE=1",
		// Neither bus nor sound server is to be started for it, and it is not to look for updates.
		"DBUS_SESSION_BUS_ADDRESS=unix:path=" + private + "/none", "PULSE_SERVER=unix:" + private + "/none",
		"https_proxy=http://127.0.0.1:9",
	}
	return start(t, cmd)
}

// startDisplay starts an X server that shows nothing, and returns its name. It ends with the test.
func startDisplay(t testing.TB) string {
	t.Helper()
	said, say, err := os.Pipe()
	if err != nil {
		t.Fatalf("making a pipe for Xvfb: %v", err)
	}
	defer said.Close()
	cmd := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "640x480x24", "-nolisten", "tcp") //nolint:noctx // see start
	cmd.ExtraFiles = []*os.File{say}
	server := start(t, cmd)
	t.Cleanup(server.Interrupt) // it removes its lock file and its socket
	say.Close()
	// It takes the first number that is free, and tells it when it can be connected to.
	if err := said.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatalf("waiting for Xvfb: %v", err)
	}
	number, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		t.Fatalf("waiting for Xvfb: %v; it said:\n%s", err, server.Said())
	}
	return ":" + strings.TrimSpace(number)
}

// obsProfile is what OBS is set up to do.
type obsProfile struct {
	url      string
	source   Source
	encoding Encoding
	fill     color.RGBA
}

// write writes what OBS keeps in its folder of configurations: that it was run before (else it asks questions), a
// profile and a collection of scenes.
func (p obsProfile) write(t testing.TB, folder string) {
	t.Helper()
	server, key := cutURL(p.url)
	profile := filepath.Join("basic", "profiles", obsName)
	for name, content := range map[string]string{
		"global.ini": "[General]\nFirstRun=true\n" +
			"[Basic]\nProfile=" + obsName + "\nProfileDir=" + obsName + "\nSceneCollection=" + obsName + "\nSceneCollectionFile=" + obsName + "\n" +
			"[BasicWindow]\nPreviewEnabled=false\n",
		filepath.Join(profile, "basic.ini"): fmt.Sprintf("[General]\nName=%s\n"+
			"[Video]\nBaseCX=%[2]d\nBaseCY=%[3]d\nOutputCX=%[2]d\nOutputCY=%[3]d\nFPSType=1\nFPSInt=%[4]d\n"+
			"[Output]\nMode=Advanced\nReconnect=false\n"+
			"[AdvOut]\nEncoder=obs_x264\n", obsName, p.source.Width, p.source.Height, p.source.Rate),
		filepath.Join(profile, "streamEncoder.json"): toJSON(t, map[string]any{
			"bitrate":  500,
			"x264opts": fmt.Sprintf("keyint=%d scenecut=0 threads=1", p.encoding.keyFrameDistance(p.source)),
		}),
		filepath.Join(profile, "service.json"): toJSON(t, map[string]any{
			"type": "rtmp_custom", "settings": map[string]any{"server": server, "key": key},
		}),
		filepath.Join("basic", "scenes", obsName+".json"): toJSON(t, p.scenes()),
	} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatalf("setting up OBS: %v", err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatalf("setting up OBS: %v", err)
		}
	}
}

// scenes is a collection of one scene, and how long it is streamed.
func (p obsProfile) scenes() map[string]any {
	scenes := map[string]any{
		"name": obsName, "current_scene": "scene", "current_program_scene": "scene",
		"scene_order": []any{map[string]any{"name": "scene"}},
		"sources": []any{
			map[string]any{"id": "color_source", "versioned_id": "color_source_v3", "name": "colour", "settings": map[string]any{
				"width": p.source.Width, "height": p.source.Height,
				"color": uint32(p.fill.A)<<24 | uint32(p.fill.B)<<16 | uint32(p.fill.G)<<8 | uint32(p.fill.R),
			}},
			map[string]any{"id": "scene", "name": "scene", "settings": map[string]any{
				"items": []any{map[string]any{"id": 1, "name": "colour", "visible": true}},
			}},
		},
	}
	if p.encoding.Duration > 0 {
		scenes["modules"] = map[string]any{"output-timer": map[string]any{
			"autoStartStreamTimer": true, "streamTimerHours": 0, "streamTimerMinutes": 0,
			"streamTimerSeconds": math.Ceil(p.encoding.Duration.Seconds()), // OBS takes 59 at most
		}}
	}
	return scenes
}

// cutURL cuts an address as people do who fill in OBS's form: before the name of the stream, which its parameters belong to.
func cutURL(url string) (server, key string) {
	path, _, _ := strings.Cut(url, "?")
	at := strings.LastIndexByte(path, '/')
	return url[:at], url[at+1:]
}

func toJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("setting up OBS: %v", err)
	}
	return string(text)
}
