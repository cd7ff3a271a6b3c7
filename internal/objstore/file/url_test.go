package file_test

import (
	"bytes"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
	"github.com/stillcast/stillcast/internal/objstore/file"
)

var now = time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC)

func mustURL(t *testing.T, s *file.Store, bucket, key string) *url.URL {
	t.Helper()
	raw, err := s.URL(stillcast.Shot{Bucket: bucket, Key: key}, now)
	if err != nil {
		t.Fatalf("URL: %v", err)
	}
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatalf("URL: %v", err)
	}
	return u
}

func location(u *url.URL) string { return strings.TrimPrefix(u.Path, "/base/pictures/") }

// TestURLVector fixes the form of URLs and their signature: a change ends the
// validity of all that were sent.
func TestURLVector(t *testing.T) {
	o := options(t)
	writeFile(t, filepath.Join(o.DataDir, "url.key"), strings.Repeat("k", 32))
	s := openStore(t, o)
	got, err := s.URL(stillcast.Shot{Bucket: bucket, Key: "2026-11-26/a b%21+c.jpg"}, now)
	if err != nil {
		t.Fatal(err)
	}
	// HMAC-SHA256 computed by another program.
	const want = "https://still.example.com/base/pictures/shots-1250000000/2026-11-26/a%20b%2521+c.jpg" +
		"?expires=1795773600&signature=uEfh5lAn4IRwlJ1gFxG8nA"
	if got != want {
		t.Errorf("URL is\n%s, want\n%s", got, want)
	}
}

func TestUnsignedURL(t *testing.T) {
	o := options(t)
	o.Config.SignedURLs = false
	o.PublicURL = "http://127.0.0.1:8080/"
	s := openStore(t, o)
	u := mustURL(t, s, "", "a.jpg")
	if got, want := u.String(), "http://127.0.0.1:8080/pictures/_/a.jpg"; got != want {
		t.Errorf("URL is %s, want %s", got, want)
	}
	bucket, key, err := s.Resolve("_/a.jpg", nil, now)
	if bucket != "" || key != "a.jpg" || err != nil {
		t.Errorf("Resolve gave %q, %q, %v", bucket, key, err)
	}
	for _, bad := range []string{"", "_", "_/", "/a.jpg", "_/../url.key", "_/.~unfinished/put-A.tmp"} {
		if _, _, err := s.Resolve(bad, nil, now); !errors.Is(err, objstore.ErrNotFound) {
			t.Errorf("Resolve(%q) gave the error %v, want ErrNotFound", bad, err)
		}
	}
}

func TestResolve(t *testing.T) {
	s := openStore(t, options(t))
	for _, key := range []string{"a.jpg", "2026/ä b%2F?#.jpg", "line\n1795860000"} {
		for _, b := range []string{"", bucket} {
			u := mustURL(t, s, b, key)
			gotBucket, gotKey, err := s.Resolve(location(u), u.Query(), now.Add(24*time.Hour-time.Second))
			if gotBucket != b || gotKey != key || err != nil {
				t.Errorf("Resolve(%q) gave %q, %q, %v; want %q, %q", location(u), gotBucket, gotKey, err, b, key)
			}
		}
	}
}

func TestResolveRefuses(t *testing.T) {
	s := openStore(t, options(t))
	u := mustURL(t, s, bucket, "a.jpg")
	other := mustURL(t, s, bucket, "b.jpg").Query()
	later := strconv.FormatInt(now.Add(100*time.Hour).Unix(), 10)
	tests := []struct {
		name     string
		location string
		change   func(url.Values)
		at       time.Time
		want     string
	}{
		{"no signature", location(u), func(q url.Values) { q.Del("signature") }, now, "signature: is missing"},
		{"no expiry", location(u), func(q url.Values) { q.Del("expires") }, now, "expires: is missing"},
		{"bad expiry", location(u), func(q url.Values) { q.Set("expires", "soon") }, now, `expires: "soon" is no Unix time`},
		{"later expiry", location(u), func(q url.Values) { q.Set("expires", later) }, now, "signature: is wrong"},
		{"other key's", location(u), func(q url.Values) { q.Set("signature", other.Get("signature")) }, now, "signature: is wrong"},
		{"cut", location(u), func(q url.Values) { q.Set("signature", q.Get("signature")[:21]) }, now, "signature: is wrong"},
		{"other bucket", "_/a.jpg", func(url.Values) {}, now, "signature: is wrong"},
		{"other key", bucket + "/b.jpg", func(url.Values) {}, now, "signature: is wrong"},
		{"expired", location(u), func(url.Values) {}, now.Add(24 * time.Hour), "expires: has passed: the URL expired at 2026-11-27T10:00:00Z"},
	}
	for _, tt := range tests {
		q := u.Query()
		tt.change(q)
		_, _, err := s.Resolve(tt.location, q, tt.at)
		if stillcast.CodeOf(err) != stillcast.CodeDenied || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: Resolve gave the error %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestURLKeySurvivesRestart(t *testing.T) {
	o := options(t)
	u := mustURL(t, openStore(t, o), bucket, "a.jpg")
	if _, _, err := openStore(t, o).Resolve(location(u), u.Query(), now); err != nil {
		t.Errorf("a URL from before a restart: %v", err)
	}
	if _, _, err := openStore(t, options(t)).Resolve(location(u), u.Query(), now); err == nil {
		t.Error("another installation accepts the URL")
	}
	stat, err := os.Stat(filepath.Join(o.DataDir, "url.key"))
	if err != nil {
		t.Fatal(err)
	}
	if got := stat.Mode().Perm(); got != 0o600 || stat.Size() != 32 {
		t.Errorf("url.key has the mode %o and %d bytes, want 600 and 32", got, stat.Size())
	}
}

func TestFirstStartsAtOnceShareOneKey(t *testing.T) {
	o := options(t)
	urls := make([]string, 8)
	var wg sync.WaitGroup
	for i := range urls {
		wg.Go(func() {
			s, err := file.Open(o)
			if err != nil {
				t.Errorf("Open: %v", err)
				return
			}
			urls[i], _ = s.URL(stillcast.Shot{Key: "a.jpg"}, now)
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	wg.Wait()
	for _, u := range urls {
		if u != urls[0] {
			t.Errorf("two starts sign differently: %s and %s", u, urls[0])
		}
	}
	key, err := os.ReadFile(filepath.Join(o.DataDir, "url.key"))
	if err != nil || bytes.Equal(key, make([]byte, 32)) {
		t.Errorf("the key is %x, %v", key, err)
	}
	if got := files(t, o.DataDir); len(got) != 1 {
		t.Errorf("the starts left %q, want url.key only", got)
	}
}
