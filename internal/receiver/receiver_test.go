package receiver_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/stillcast/stillcast/callback"
	"github.com/stillcast/stillcast/internal/receiver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const key = "s3cret"

// rig is a receiver and what it reported.
type rig struct {
	*receiver.Receiver
	events chan receiver.Received
}

func start(t *testing.T, o receiver.Options) *rig {
	t.Helper()
	r := &rig{events: make(chan receiver.Received, 100)}
	o.Addr = "127.0.0.1:0"
	o.OnEvent = func(got receiver.Received) { r.events <- got }
	var err error
	if r.Receiver, err = receiver.New(o); err != nil {
		t.Fatal(err)
	}
	r.Start()
	t.Cleanup(func() {
		// A test that was in a hurry has this answer from its own Stop.
		if err := r.Stop(context.Background()); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	return r
}

// post sends a body and returns the status and the body of the answer.
func (r *rig) post(t *testing.T, body []byte) (int, string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.Addr().String()+"/any/path", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set(callback.HeaderEventID, "e1")
	q.Header.Set(callback.HeaderSequence, "7")
	q.Header.Set(callback.HeaderAttempt, "2")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(reply))
}

func signed(t *testing.T, k string, e callback.Screenshot) []byte {
	t.Helper()
	e.EventType, e.T = callback.TypeScreenshot, time.Now().Unix()+600
	e.Sign = callback.Sign(k, e.T)
	body, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestReceives(t *testing.T) {
	expired := []byte(fmt.Sprintf(`{"event_type":200,"t":1622600525,"sign":%q}`, callback.Sign(key, 1622600525)))
	tests := map[string]struct {
		options  receiver.Options
		body     []byte
		status   int
		reply    string
		verified error
		event    bool
	}{
		"good":           {receiver.Options{Keys: []string{key}}, signed(t, key, callback.Screenshot{}), 200, `{"code":0}`, nil, true},
		"second key":     {receiver.Options{Keys: []string{"x", key}}, signed(t, key, callback.Screenshot{}), 200, `{"code":0}`, nil, true},
		"other status":   {receiver.Options{Keys: []string{key}, Status: 503}, signed(t, key, callback.Screenshot{}), 503, `{"code":503}`, nil, true},
		"no content":     {receiver.Options{Keys: []string{key}, Status: 204}, signed(t, key, callback.Screenshot{}), 204, ``, nil, true},
		"no key":         {receiver.Options{}, []byte(`{"event_type":1}`), 200, `{"code":0}`, nil, true},
		"wrong key":      {receiver.Options{Keys: []string{key}}, signed(t, "x", callback.Screenshot{}), 403, "bad signature", callback.ErrBadSignature, true},
		"wrong key, 500": {receiver.Options{Keys: []string{key}, Status: 500}, signed(t, "x", callback.Screenshot{}), 403, "bad signature", callback.ErrBadSignature, true},
		"expired":        {receiver.Options{Keys: []string{key}}, expired, 403, "expired", callback.ErrExpired, true},
		"not signed":     {receiver.Options{Keys: []string{key}}, []byte(`{"event_type":1}`), 403, "not signed", callback.ErrNotSigned, true},
		"no JSON":        {receiver.Options{Keys: []string{key}}, []byte(`hello`), 400, "malformed", callback.ErrMalformed, false},
		"no event":       {receiver.Options{}, []byte(`{"a":1}`), 400, "event_type is missing", callback.ErrMalformed, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := start(t, tt.options)
			before := time.Now()
			status, reply := r.post(t, tt.body)
			if status != tt.status || !strings.Contains(reply, tt.reply) {
				t.Errorf("answer %d %s, want %d %s", status, reply, tt.status, tt.reply)
			}
			got := <-r.events
			if !errors.Is(got.Verified, tt.verified) || (got.Event != nil) != tt.event || got.Status != tt.status || got.Picture != nil {
				t.Errorf("reported %+v", got)
			}
			if got.At.Before(before) || got.At.After(time.Now()) {
				t.Errorf("at %s", got.At)
			}
			if diff := cmp.Diff(callback.Meta{EventID: "e1", Sequence: 7, Attempt: 2}, got.Meta); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOtherMethodsAndLongBodies(t *testing.T) {
	r := start(t, receiver.Options{Keys: []string{key}})
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != "POST" {
		t.Errorf("status %d, Allow %q", resp.StatusCode, resp.Header.Get("Allow"))
	}
	if status, reply := r.post(t, bytes.Repeat([]byte(" "), 1<<20+1)); status != 400 || !strings.Contains(reply, "too large") {
		t.Errorf("answer %d %s", status, reply)
	}
	if got := <-r.events; got.Verified == nil {
		t.Errorf("reported %+v", got)
	}
}

// The event is reported while its answer is still held back.
func TestDelay(t *testing.T) {
	r := start(t, receiver.Options{Delay: 300 * time.Millisecond})
	begin := time.Now()
	status, _ := r.post(t, []byte(`{"event_type":1}`))
	if took := time.Since(begin); status != 200 || took < 300*time.Millisecond {
		t.Errorf("answer %d after %s", status, took)
	}
	if got := <-r.events; got.Event == nil {
		t.Errorf("reported %+v", got)
	}
}

func picture(t *testing.T, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, width, height)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPictures(t *testing.T) {
	good := picture(t, 64, 48)
	pictures := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		switch q.URL.Path {
		case "/good.jpg":
			_, _ = w.Write(good)
		case "/text.jpg":
			_, _ = io.WriteString(w, strings.Repeat("x", len(good)))
		case "/huge.jpg":
			_, _ = w.Write(append(good, make([]byte, 5000)...))
		default:
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer pictures.Close()
	event := func(path string) callback.Screenshot {
		return callback.Screenshot{
			Width: 64, Height: 48, FileSize: len(good),
			PicURL: "/2026-11-22" + path, PicFullURL: pictures.URL + path + "?sig=hush",
		}
	}
	wrongSize, wrongBytes, noURL, nobody := event("/good.jpg"), event("/good.jpg"), event("/good.jpg"), event("/good.jpg")
	wrongSize.Width = 65
	wrongBytes.FileSize++
	noURL.PicFullURL = ""
	nobody.PicFullURL = "http://127.0.0.1:1/good.jpg?sig=hush"
	tests := map[string]struct {
		event callback.Screenshot
		says  string // "": no error
		saved bool
	}{
		"good":          {event("/good.jpg"), "", true},
		"other size":    {wrongSize, "picture is 64x48; its event says 65x48", true},
		"other bytes":   {wrongBytes, fmt.Sprintf("picture has %d bytes; its event says %d", len(good), len(good)+1), true},
		"no JPEG":       {event("/text.jpg"), "picture is neither a JPEG nor a WebP", true},
		"too large":     {event("/huge.jpg"), "larger than 5000 bytes", false},
		"refused":       {event("/other.jpg"), "/other.jpg: status 403 Forbidden", false},
		"no URL":        {noURL, "download picture", false},
		"nobody there":  {nobody, "connection refused", false},
		"hostile names": {callback.Screenshot{Width: 64, Height: 48, FileSize: len(good), PicURL: "/../..", PicFullURL: pictures.URL + "/good.jpg"}, "", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "new", "folder")
			r := start(t, receiver.Options{Keys: []string{key}, Save: dir, MaxSize: 5000})
			if status, reply := r.post(t, signed(t, key, tt.event)); status != 200 {
				t.Errorf("answer %d %s", status, reply)
			}
			got := (<-r.events).Picture
			if got == nil {
				t.Fatal("no picture")
			}
			if (got.Err == nil) != (tt.says == "") || got.Err != nil && !strings.Contains(got.Err.Error(), tt.says) {
				t.Errorf("error %v, want %q", got.Err, tt.says)
			}
			if got.Err != nil && strings.Contains(got.Err.Error(), "hush") {
				t.Errorf("error tells the signature of the URL: %v", got.Err)
			}
			files, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			if !tt.saved {
				if got.Path != "" || len(files) != 0 {
					t.Errorf("saved as %q beside %v", got.Path, files)
				}
				return
			}
			if len(files) != 1 || filepath.Join(dir, files[0].Name()) != got.Path {
				t.Fatalf("path %q, files %v", got.Path, files)
			}
			saved, err := os.ReadFile(got.Path)
			if err != nil || len(saved) != got.Bytes || got.Bytes == 0 {
				t.Errorf("%d bytes in the file, %d reported: %v", len(saved), got.Bytes, err)
			}
		})
	}
}

// Nothing is downloaded for who cannot sign, and a failing status is no reason
// not to download.
func TestPicturesOfWhom(t *testing.T) {
	good := picture(t, 64, 48)
	asked := make(chan string, 10)
	pictures := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		asked <- q.URL.Path
		_, _ = w.Write(good)
	}))
	defer pictures.Close()
	r := start(t, receiver.Options{Keys: []string{key}, FetchPictures: true, Status: 500})
	e := callback.Screenshot{Width: 64, Height: 48, FileSize: len(good), PicURL: "/p.jpg", PicFullURL: pictures.URL + "/forged"}
	r.post(t, signed(t, "other", e))
	if got := <-r.events; got.Picture != nil {
		t.Errorf("picture %+v of a forged event", got.Picture)
	}
	e.PicFullURL = pictures.URL + "/real"
	r.post(t, signed(t, key, e))
	got := <-r.events
	want := &receiver.Picture{Format: "jpeg", Width: 64, Height: 48, Bytes: len(good)}
	if diff := cmp.Diff(want, got.Picture); diff != "" {
		t.Error(diff)
	}
	if path := <-asked; path != "/real" || len(asked) != 0 {
		t.Errorf("first asked for %s", path)
	}
}

// webPicture is a WebP of 16x8 grey pixels, from ffmpeg -f lavfi -i
// color=gray:s=16x8 -frames:v 1 -c:v libwebp -quality 50 x.webp.
const webPicture = "UklGRiQAAABXRUJQVlA4IBgAAABQAQCdASoQAAgAAsBMJaQABHQAAORAAAA="

// Renditions are downloaded, checked and saved as pictures of their own.
func TestRenditions(t *testing.T) {
	web, err := base64.StdEncoding.DecodeString(webPicture)
	if err != nil {
		t.Fatal(err)
	}
	good := picture(t, 64, 48)
	pictures := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if strings.HasSuffix(q.URL.Path, ".webp") {
			_, _ = w.Write(web)
			return
		}
		_, _ = w.Write(good)
	}))
	defer pictures.Close()
	dir := t.TempDir()
	r := start(t, receiver.Options{Keys: []string{key}, Save: dir})
	r.post(t, signed(t, key, callback.Screenshot{
		Width: 64, Height: 48, FileSize: len(good), PicURL: "/a.jpg", PicFullURL: pictures.URL + "/a.jpg",
		Stillcast: &callback.Facts{Renditions: []callback.Rendition{
			{Width: 16, Height: 8, FileSize: len(web), PicURL: "/b.webp", PicFullURL: pictures.URL + "/b.webp"},
			{Width: 16, Height: 9, FileSize: len(web), PicURL: "/c.webp", PicFullURL: pictures.URL + "/c.webp"},
		}},
	}))
	got := <-r.events
	if p := got.Picture; p.Err != nil || p.Format != "jpeg" || p.Path != filepath.Join(dir, "a-e1.jpg") {
		t.Errorf("picture %+v", p)
	}
	if len(got.Renditions) != 2 {
		t.Fatalf("%d renditions, want 2", len(got.Renditions))
	}
	want := receiver.Picture{Format: "webp", Width: 16, Height: 8, Bytes: len(web), Path: filepath.Join(dir, "b-e1.webp")}
	if diff := cmp.Diff(want, got.Renditions[0]); diff != "" {
		t.Errorf("first rendition (-want +got):\n%s", diff)
	}
	if err := got.Renditions[1].Err; err == nil || err.Error() != "picture is 16x8; its event says 16x9" {
		t.Errorf("second rendition: error %v", err)
	}
	for _, name := range []string{"a-e1.jpg", "b-e1.webp", "c-e1.webp"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

// The same picture twice is one file; equal names of two events are two.
func TestSavedNames(t *testing.T) {
	good := picture(t, 64, 48)
	pictures := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(good) }))
	defer pictures.Close()
	dir := t.TempDir()
	r := start(t, receiver.Options{Save: dir})
	e := callback.Screenshot{Width: 64, Height: 48, FileSize: len(good), PicURL: "/2026/s-screenshot-1.jpg", PicFullURL: pictures.URL}
	for range 2 {
		r.post(t, signed(t, key, e))
		if got := (<-r.events).Picture; got.Path != filepath.Join(dir, "s-screenshot-1-e1.jpg") || got.Err != nil {
			t.Errorf("%+v", got)
		}
	}
	e.PicURL = "/" + strings.Repeat("x", 1000) + ".jpg"
	r.post(t, signed(t, key, e))
	if got := (<-r.events).Picture; got.Err != nil {
		t.Error(got.Err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Errorf("files %v, %v", files, err)
	}
}

// Stop waits for a download, but not longer than its context.
func TestStop(t *testing.T) {
	asked, gate := make(chan struct{}), make(chan struct{})
	pictures := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		close(asked)
		select {
		case <-gate:
		case <-q.Context().Done():
		}
	}))
	defer pictures.Close()
	r := start(t, receiver.Options{FetchPictures: true})
	r.post(t, []byte(fmt.Sprintf(`{"event_type":200,"pic_full_url":%q}`, pictures.URL)))
	<-asked
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := r.Stop(ctx); err != nil {
		t.Error(err)
	}
	if got := <-r.events; got.Picture == nil || !errors.Is(got.Picture.Err, context.Canceled) {
		t.Errorf("reported %+v", got.Picture)
	}
	conn, err := net.Dial("tcp", r.Addr().String())
	if err == nil {
		conn.Close()
		t.Error("the address is still taken")
	}
}

// A delay that has begun does not hold up a Stop that is in a hurry, and its
// event does not count as received.
func TestStopDuringDelay(t *testing.T) {
	r := start(t, receiver.Options{Delay: time.Hour})
	status := make(chan int, 1)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	go func() {
		resp, err := client.Post("http://"+r.Addr().String(), "application/json", strings.NewReader(`{"event_type":1}`))
		if err != nil {
			status <- 0 // the connection was closed
			return
		}
		resp.Body.Close()
		status <- resp.StatusCode
	}()
	<-r.events
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	// Whether the answer still went out in time is a matter of luck.
	if err := r.Stop(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if got := <-status; got != 0 && got != http.StatusServiceUnavailable {
		t.Errorf("status %d", got)
	}
}

func TestNewRefuses(t *testing.T) {
	taken := start(t, receiver.Options{})
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		options receiver.Options
		says    string
	}{
		"port in use":    {receiver.Options{Addr: taken.Addr().String(), Save: t.TempDir()}, "address already in use"},
		"bad address":    {receiver.Options{Addr: "nowhere"}, "listen for events"},
		"status":         {receiver.Options{Status: 100}, "status is 100; allowed are 200 to 599"},
		"delay":          {receiver.Options{Delay: -1}, "must not be negative"},
		"size":           {receiver.Options{MaxSize: -1}, "must not be negative"},
		"folder in file": {receiver.Options{Addr: "127.0.0.1:0", Save: file}, "make folder of pictures"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := receiver.New(tt.options); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want %q", err, tt.says)
			}
		})
	}
	idle, err := receiver.New(receiver.Options{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := idle.Stop(t.Context()); err != nil {
		t.Errorf("stop without start: %v", err)
	}
}
