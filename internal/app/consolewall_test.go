package app

import (
	"bytes"
	"image/jpeg"
	"io"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/config"
	"github.com/stillcast/stillcast/internal/media"
	"github.com/stillcast/stillcast/internal/state"
	"github.com/stillcast/stillcast/internal/testkit"
)

// onlooker looks at the console.
type onlooker struct {
	t      *testing.T
	base   string
	client *http.Client
}

func lookOn(t *testing.T, a *App) *onlooker {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	base, password := a.ConsoleURL()
	o := &onlooker{t: t, base: base, client: &http.Client{Jar: jar}}
	reply, err := o.client.PostForm(base+"login", url.Values{"account": {"admin"}, "password": {password.Reveal()}})
	if err != nil {
		t.Fatal(err)
	}
	reply.Body.Close()
	o.get("", http.StatusOK)
	return o
}

func (o *onlooker) get(path string, status int) []byte {
	o.t.Helper()
	reply, err := o.client.Get(o.base + path)
	if err != nil {
		o.t.Fatal(err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil || reply.StatusCode != status {
		o.t.Fatalf("GET %s: %s %v\n%s", path, reply.Status, err, body)
	}
	return body
}

// preview waits until the wall has a picture of its own, and returns it with the id
// of its shot.
func (o *onlooker) preview(h *hooks) (id string, picture []byte) {
	o.t.Helper()
	const mark = `/console/thumb/`
	for {
		h.shot()
		_, rest, found := strings.Cut(string(o.get("", http.StatusOK)), mark)
		if !found {
			continue
		}
		id, _, _ = strings.Cut(rest, "&")
		// By the next shot it may be gone.
		if reply, err := o.client.Get(o.base + "thumb/" + id); err == nil {
			picture, err = io.ReadAll(reply.Body)
			reply.Body.Close()
			if err == nil && strings.HasPrefix(reply.Header.Get("Etag"), `"t`) {
				return id, picture
			}
		}
	}
}

// TestPreviewIsNoPartOfTheShot compares what is known and stored of shots that were
// taken while nobody looked with those taken while somebody did.
func TestPreviewIsNoPartOfTheShot(t *testing.T) {
	t.Parallel()
	h := newHooks(t)
	cfg := testConfig(t.TempDir(), h.URL)
	cfg.Resources.SnapshotTemplates[0].Renditions = []config.Size{{Width: 240}}
	a := startApp(t, cfg)
	testkit.PushFFmpeg(t, pushURL(a.RTMPAddr(), "room"), testkit.Source{Width: 640, Height: 360, Rate: 25}, testkit.Encoding{KeyFrames: time.Second, Duration: time.Minute})

	h.shot()
	if a.wall.Watched() {
		t.Error("nobody looked, but the wall is watched")
	}
	o := lookOn(t, a)
	id, thumb := o.preview(h)
	size, err := jpeg.DecodeConfig(bytes.NewReader(thumb))
	if err != nil || size.Width != 320 || size.Height != 180 {
		t.Errorf("the wall's picture is %dx%d, %v; want 320x180", size.Width, size.Height, err)
	}
	shots, err := a.state.Shots(t.Context(), state.ShotFilter{})
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, s := range shots {
		if len(s.Renditions) != 1 || s.Renditions[0].Width != 240 || s.Width != 640 {
			t.Errorf("shot %d: %+v", s.ID, s.Shot)
		}
		for _, key := range s.Keys() {
			known[key] = true
		}
		owed, err := a.state.Deliveries(t.Context(), state.DeliveryFilter{ShotID: s.ID})
		if err != nil || len(owed) != 1 {
			t.Fatalf("shot %d has %d deliveries, %v", s.ID, len(owed), err)
		}
		if fields := string(owed[0].Event.Fields); strings.Contains(fields, "-320x") || strings.Contains(fields, `"width":320`) {
			t.Errorf("shot %d has the event %s", s.ID, owed[0].Event.Fields)
		}
	}
	err = filepath.WalkDir(a.PicturesDir(), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.Contains(filepath.Base(path), "-320x") {
			t.Errorf("%s is stored", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	o.get("picture/"+id+"/1", http.StatusOK)
	page := string(o.get("stream?domain=127.0.0.1&app=live&stream=room", http.StatusOK))
	for _, text := range []string{"H.264", "640×360", "25.0 fps", "every 1.00 s (1.00 s to 1.00 s)", "/console/deliveries/", "is for the whole domain"} {
		if !strings.Contains(page, text) {
			t.Errorf("the stream's page lacks %q", text)
		}
	}
}

func TestPreviewOfStrangeShapes(t *testing.T) {
	for _, tt := range []struct {
		width, height int
		want          bool
	}{{640, 360, true}, {360, 640, true}, {0, 0, true}, {100, 401, false}, {16, 16000, false}, {401, 100, false}} {
		if got := fitsPreview(&media.Config{Width: tt.width, Height: tt.height}); got != tt.want {
			t.Errorf("%dx%d: %v, want %v", tt.width, tt.height, got, tt.want)
		}
	}
}

func TestMeter(t *testing.T) {
	m := &meter{}
	m.configure(&media.Config{Codec: media.HEVC, Width: 1920, Height: 1080})
	at := time.Duration(0)
	frames := func(n int) {
		for i := range n {
			m.frame(media.Unit{Key: i%50 == 0, DTS: at, Size: 5000})
			at += 40 * time.Millisecond
		}
	}
	frames(501)
	v := m.video()
	if v.Codec != "HEVC" || v.Width != 1920 || v.FrameRate != 25 || v.Bitrate != 1e6 || v.Frames != 500 || v.Keys != 11 ||
		v.KeyEvery != 2*time.Second || v.KeyShortest != v.KeyEvery || v.KeyLongest != v.KeyEvery {
		t.Errorf("%+v", v)
	}
	// A leap of the timestamps is no gap between key frames, and no bitrate.
	at += time.Hour
	frames(101)
	if v = m.video(); v.FrameRate != 25 || v.Bitrate != 1e6 || v.KeyLongest != 2*time.Second {
		t.Errorf("after a leap %+v", v)
	}
	at = 0
	frames(101)
	if v = m.video(); v.FrameRate != 25 || v.Bitrate != 1e6 || v.KeyShortest != 2*time.Second {
		t.Errorf("after a step back %+v", v)
	}
}

// BenchmarkMeter is what a frame costs.
func BenchmarkMeter(b *testing.B) {
	m := &meter{}
	u := media.Unit{Size: 5000}
	for i := 0; b.Loop(); i++ {
		u.DTS += 40 * time.Millisecond
		u.Key = i%50 == 0
		m.frame(u)
	}
}
