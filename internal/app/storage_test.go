package app

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/config"
	"github.com/stillcast/stillcast/internal/objstore/cos"
	"github.com/stillcast/stillcast/internal/objstore/cos/costest"
	"github.com/stillcast/stillcast/internal/objstore/s3"
	"github.com/stillcast/stillcast/internal/spool"
	"github.com/stillcast/stillcast/internal/testkit"
)

const testBucket = "shots-1250000000"

// s3Config stores pictures in a real S3 server.
func s3Config(t *testing.T, g *testkit.VersityGW, hooks string) *config.Config {
	t.Helper()
	cfg := testConfig(t.TempDir(), hooks)
	s := &cfg.Storage
	s.Type, s.URL, s.URLLifetime = config.StorageS3, config.URLPresigned, time.Hour
	s.S3.Endpoint, s.S3.AccessKey, s.S3.SecretKey = g.Endpoint, g.AccessKey, stillcast.Secret(g.SecretKey)
	s.S3.Addressing = s3.AddressingPath
	s.Upload.Breaker = spool.BreakerConfig{Failures: 2, MaxPause: time.Second}
	s.Upload.Timeout = 5 * time.Second
	return cfg
}

// pushFor pushes a stream for so long.
func pushFor(t *testing.T, a *App, d time.Duration) {
	t.Helper()
	testkit.PushFFmpeg(t, pushURL(a.RTMPAddr(), "s"), testkit.Source{Width: 320, Height: 180, Rate: 25},
		testkit.Encoding{KeyFrames: 500 * time.Millisecond, Duration: d})
}

// TestS3WithMirrorThatGoesAndComesBack: a private bucket of a real S3 server, a
// mirror, presigned URLs; while the server is gone shots wait, and none is lost.
func TestS3WithMirrorThatGoesAndComesBack(t *testing.T) {
	g := testkit.StartVersityGW(t, testkit.VersityGWOptions{}, testBucket)
	h := newHooks(t)
	cfg := s3Config(t, g, h.URL)
	var mirror config.Mirror
	mirror.SetDefaults()
	mirror.Name, mirror.Type, mirror.File.Dir = "second", config.StorageFile, filepath.Join(t.TempDir(), "mirror")
	cfg.Storage.Mirrors = []config.Mirror{mirror}
	template := &cfg.Resources.SnapshotTemplates[0]
	template.Mirror, template.Renditions = "second", []config.Size{{Width: 160}}
	a := startApp(t, cfg)
	pushFor(t, a, 60*time.Second)
	seen := map[int64]bool{} // sequences
	next := func() {
		t.Helper()
		shot, e := h.shot() // which downloads the picture
		seen[e.Meta.Sequence] = true
		u, err := url.Parse(shot.PicFullURL)
		if err != nil || u.Query().Get("X-Amz-Signature") == "" || !strings.HasSuffix(u.Path, "/"+testBucket+shot.PicURL) {
			t.Errorf("pic_full_url %q of %q is not presigned", shot.PicFullURL, shot.PicURL)
		}
		for _, dir := range []string{g.Dir, mirror.File.Dir} {
			stored, err := os.ReadFile(filepath.Join(dir, testBucket, filepath.FromSlash(shot.PicURL)))
			if err != nil || !bytes.Equal(stored, e.JPEG) {
				t.Errorf("the picture in %s has %d bytes (%v), that of the event %d", dir, len(stored), err, len(e.JPEG))
			}
			small, err := filepath.Glob(filepath.Join(dir, testBucket, filepath.Dir(filepath.FromSlash(shot.PicURL)), "*-160x90.jpg"))
			if err != nil || len(small) < len(seen) {
				t.Errorf("%d renditions are in %s (%v), want at least %d", len(small), dir, err, len(seen))
			}
		}
	}
	next()
	g.Stop()
	page := waitForMetric(t, "http://"+a.OpsAddr().String(), `stillcast_spool_breaker_open{store="primary"} 1`)
	if !strings.Contains(page, `stillcast_spool_failed_total{kind="unavailable",store="primary"}`) {
		t.Error("no failure of the store is counted")
	}
	waitForAtLeast(t, "http://"+a.OpsAddr().String(), "stillcast_spool_pictures", 6) // of three shots
	ready, err := download(t.Context(), "http://"+a.OpsAddr().String()+"/readyz")
	if err != nil || !strings.Contains(string(ready), "object store primary does not work") {
		t.Errorf("/readyz says %q (%v)", ready, err)
	}
	g.Restart(t)
	for sequence := int64(1); sequence <= 5; sequence++ {
		for !seen[sequence] {
			next()
		}
	}
}

// TestCOS: pictures in COS, at URLs in COS's form, and then at those of a CDN.
func TestCOS(t *testing.T) {
	double := costest.New(costest.Options{
		SecretID: "AKIDtest", SecretKey: "secret-of-the-test", Buckets: map[string]string{testBucket: "ap-guangzhou", "own-1250000000": "ap-beijing"},
	})
	server := httptest.NewServer(double)
	t.Cleanup(server.Close)
	proxy, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	h := newHooks(t)
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), DisableKeepAlives: true}
	h.client = &http.Client{Transport: transport}
	cfg := testConfig(t.TempDir(), h.URL)
	c := cos.DefaultConfig()
	c.Bucket, c.Region, c.Scheme, c.Proxy = "own-1250000000", "ap-beijing", "http", server.URL
	c.SecretID, c.SecretKey, c.ACL = "AKIDtest", "secret-of-the-test", "public-read"
	cfg.Storage.Type, cfg.Storage.COS = config.StorageCOS, c
	a := startApp(t, cfg)
	pushFor(t, a, 4*time.Second)
	shot, e := h.shot()
	if want := "http://" + testBucket + ".cos.ap-guangzhou.myqcloud.com" + shot.PicURL; shot.PicFullURL != want {
		t.Errorf("pic_full_url is %q, want %q", shot.PicFullURL, want)
	}
	object, ok := double.Object(testBucket, strings.TrimPrefix(shot.PicURL, "/"))
	if !ok || !bytes.Equal(object.Body, e.JPEG) || object.Header.Get("Cache-Control") != cfg.Storage.CacheControl {
		t.Errorf("the object is there: %v, with %d bytes and the header %v", ok, len(object.Body), object.Header)
	}
	h.end()
	if err := a.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}

	cdn := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if object, ok := double.Object(testBucket, strings.TrimPrefix(r.URL.Path, "/base/")); ok {
			_, _ = w.Write(object.Body)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(cdn.Close)
	h.client = http.DefaultClient
	cfg.Storage.PublicBase = cdn.URL + "/base/"
	a = startApp(t, cfg)
	pushFor(t, a, 4*time.Second)
	if shot, _ := h.shot(); shot.PicFullURL != cdn.URL+"/base"+shot.PicURL {
		t.Errorf("pic_full_url is %q, want it below %s/base", shot.PicFullURL, cdn.URL)
	}
}

// TestSpoolFull: without a store and room no shot is taken, the push goes on, and
// shots are taken again when there is room.
func TestSpoolFull(t *testing.T) {
	g := testkit.StartVersityGW(t, testkit.VersityGWOptions{}, testBucket)
	h := newHooks(t)
	cfg := s3Config(t, g, h.URL)
	cfg.Storage.Spool.MaxBytes = 1 << 20
	template := &cfg.Resources.SnapshotTemplates[0]
	template.Quality = 100
	template.Renditions = []config.Size{{Width: 1600, Height: 900}} // about 300 KB a shot
	g.Stop()
	a := startApp(t, cfg)
	pushFor(t, a, 60*time.Second)
	ops := "http://" + a.OpsAddr().String()
	waitForMetric(t, ops, "stillcast_spool_full 1")
	waitForAtLeast(t, ops, `stillcast_capture_shed_total{reason="spool_full"}`, 2)
	if _, size, err := a.state.SpoolStats(t.Context()); err != nil || size > 1<<20 || size == 0 {
		t.Errorf("the spool has %d bytes (%v), want some and at most its limit", size, err)
	}
	g.Restart(t)
	seen := map[int64]bool{} // what is shed leaves no hole
	for sequence := int64(1); sequence <= 5; sequence++ {
		for !seen[sequence] {
			_, e := h.shot()
			seen[e.Meta.Sequence] = true
		}
	}
	waitForMetric(t, ops, "stillcast_spool_full 0")
}

// TestUnknownMirror: a template cannot name a mirror that there is not, in
// whatever way it comes.
func TestUnknownMirror(t *testing.T) {
	cfg := testConfig(t.TempDir(), "")
	var mirror config.Mirror
	mirror.SetDefaults()
	mirror.Name, mirror.Type, mirror.File.Dir = "second", config.StorageFile, filepath.Join(t.TempDir(), "mirror")
	cfg.Storage.Mirrors = []config.Mirror{mirror}
	a := startApp(t, cfg)
	const want = `mirror: "third" is none of the mirrors under storage.mirrors: second`
	err := a.Apply(t.Context(), stillcast.Declaration{SnapshotTemplates: []stillcast.SnapshotTemplate{{Name: "x", Mirror: "third"}}})
	if err == nil || !strings.Contains(err.Error(), `"x": `+want) {
		t.Errorf("a reload gave %v", err)
	}
	edit := func(mirror string) error {
		_, _, err := control{a}.EditSnapshotTemplate(t.Context(), 0, func(s *stillcast.SnapshotTemplate) error {
			s.Name, s.Mirror = "by-api", mirror
			return nil
		})
		return err
	}
	if err := edit("third"); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the control API gave %v", err)
	}
	if err := edit("second"); err != nil {
		t.Errorf("the control API gave %v", err)
	}
	if err := a.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	cfg.Storage.Mirrors = nil
	_, err = New(t.Context(), Options{Config: cfg, Worker: testWorker(), Version: "test", Logger: testLogger(t)})
	if err == nil || !strings.Contains(err.Error(), `"by-api": mirror: "second" is no mirror`) || !strings.Contains(err.Error(), "put the mirror back") {
		t.Errorf("a start without the mirror gave %v", err)
	}
}

// TestStoresThatCannotBeUsed: the start says so, and what to do, and goes on.
func TestStoresThatCannotBeUsed(t *testing.T) {
	g := testkit.StartVersityGW(t, testkit.VersityGWOptions{}, testBucket)
	cfg := s3Config(t, g, "")
	cfg.Storage.S3.Bucket = testBucket
	cfg.Storage.S3.SecretKey = "another-key"
	log := &lines{}
	a, err := New(t.Context(), Options{Config: cfg, Worker: testWorker(), Version: "test", Logger: log.logger()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	line := log.wait(t, "object store cannot be used")
	if !strings.Contains(line, "check the credentials") || !strings.Contains(line, "store=primary") || strings.Contains(line, "another-key") {
		t.Errorf("the log says %s", line)
	}
}
