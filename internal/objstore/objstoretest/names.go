package objstoretest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore"
)

func (s suite) oddKeys(t *testing.T) {
	store := s.open(t)
	keys := oddKeys()
	for i, key := range keys {
		mustPut(t, store, picture(Bucket, key, jpeg(100+i, byte(i))))
	}
	// All of them are there: none took the place of another.
	for i, key := range keys {
		wantBody(t, store, Bucket, key, jpeg(100+i, byte(i)))
		if err := store.Delete(t.Context(), Bucket, key); err != nil {
			t.Errorf("Delete(%q): %v", key, err)
		}
		wantMissing(t, store, Bucket, key)
	}
}

func oddKeys() []string {
	return []string{
		"space in name/a b.jpg", "plus/a+b.jpg", "percent/a%20b.jpg", "percent/a%2Fb.jpg", "percent/100%.jpg",
		"escaped/!2F!00.jpg", "query/a?b=c&d.jpg", "hash/a#b.jpg", "quote/a\"b'c.jpg", "back/a\\b.jpg",
		"unicode/直播-截图.jpg", "unicode/é.jpg", "unicode/e\u0301.jpg", "emoji/🎥.jpg", "case/A.jpg", "case/a.jpg",
		"dots/..a.jpg", "dots/a...jpg", "dots/...", ".hidden/.a.jpg", "tilde/~a.jpg", "colon/a:b.jpg", "star/a*b.jpg",
		"line/a\nb.jpg", "dash/-rf", "noext", "semicolon/a;b.jpg", "long/" + strings.Repeat("l", 251) + ".jpg",
		strings.Repeat("deep/", 40) + "a.jpg",
	}
}

func (s suite) nestedKeys(t *testing.T) {
	for _, order := range [][2]string{{"n", "n/below.jpg"}, {"n/below.jpg", "n"}} {
		store := s.open(t)
		mustPut(t, store, picture(Bucket, order[0], jpeg(10, '1')))
		err := store.Put(t.Context(), picture(Bucket, order[1], jpeg(10, '2')))
		switch {
		case s.lacks.NestedKeys && !errors.Is(err, objstore.ErrName):
			t.Errorf("Put(%q) beside %q gave the error %v, want ErrName as nested keys are declared lacking", order[1], order[0], err)
		case !s.lacks.NestedKeys && err != nil:
			t.Errorf("Put(%q) beside %q: %v", order[1], order[0], err)
		case !s.lacks.NestedKeys:
			wantBody(t, store, Bucket, order[1], jpeg(10, '2'))
		}
		wantBody(t, store, Bucket, order[0], jpeg(10, '1'))
	}
}

func (s suite) badNames(t *testing.T) {
	store := s.open(t)
	names := []struct{ bucket, key string }{
		{Bucket, ""},
		{Bucket, "/a.jpg"},
		{Bucket, "a.jpg/"},
		{Bucket, "a//b.jpg"},
		{Bucket, "."},
		{Bucket, ".."},
		{Bucket, "../a.jpg"},
		{Bucket, "a/../b.jpg"},
		{Bucket, "a/./b.jpg"},
		{Bucket, "a\x00.jpg"},
		{Bucket, "a\xff.jpg"},
		{Bucket, strings.Repeat("x", objstore.MaxSegment+1)},
		{Bucket, strings.Repeat("x/", objstore.MaxKey/2) + "y"},
		{"..", "a.jpg"},
		{".", "a.jpg"},
		{"a/b", "a.jpg"},
		{"Shots", "a.jpg"},
		{"a\x00", "a.jpg"},
		{"_", "a.jpg"},
	}
	for _, n := range names {
		r, _, getErr := store.Get(t.Context(), n.bucket, n.key)
		if getErr == nil {
			_ = r.Close()
		}
		_, headErr := store.Head(t.Context(), n.bucket, n.key)
		_, urlErr := store.URL(stillcast.Shot{Bucket: n.bucket, Key: n.key}, time.Now())
		for method, err := range map[string]error{
			"Put":    store.Put(t.Context(), picture(n.bucket, n.key, jpeg(10, 'b'))),
			"Get":    getErr,
			"Head":   headErr,
			"Delete": store.Delete(t.Context(), n.bucket, n.key),
			"URL":    urlErr,
		} {
			if !errors.Is(err, objstore.ErrName) {
				t.Errorf("%s(%.40q, %.40q) gave the error %v, want ErrName", method, n.bucket, n.key, err)
			}
		}
	}
}

func (s suite) contentType(t *testing.T) {
	store := s.open(t)
	mustPut(t, store, picture(Bucket, "no-extension", jpeg(100, 'j')))
	if got := mustHead(t, store, Bucket, "no-extension").ContentType; got != jpegType {
		t.Errorf("a picture without extension has the content type %q, want %q", got, jpegType)
	}
	text := picture(Bucket, "notes.html", []byte("<html>hello</html>"))
	text.ContentType = "text/plain; charset=utf-8"
	mustPut(t, store, text)
	got := mustHead(t, store, Bucket, "notes.html").ContentType
	if kept := got == text.ContentType; kept == s.lacks.ContentType {
		t.Errorf("a content type is kept: %v (%q), but declared lacking: %v", kept, got, s.lacks.ContentType)
	}
	if strings.HasPrefix(got, "text/html") {
		t.Errorf("what is no picture has the content type %q, which a browser would run", got)
	}
}

func (s suite) cacheControl(t *testing.T) {
	store := s.open(t)
	o := picture(Bucket, "c.jpg", jpeg(100, 'c'))
	o.CacheControl = "no-store, max-age=12345"
	mustPut(t, store, o)
	got := mustHead(t, store, Bucket, "c.jpg").CacheControl
	if kept := got == o.CacheControl; kept == s.lacks.CacheControl {
		t.Errorf("Cache-Control is kept: %v (%q), but declared lacking: %v", kept, got, s.lacks.CacheControl)
	}
}

func (s suite) context(t *testing.T) {
	store := s.open(t)
	mustPut(t, store, picture(Bucket, "old.jpg", jpeg(100, 'o')))
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	expired, cancelExpired := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancelExpired()
	for _, c := range []struct {
		ctx  context.Context
		want error
	}{{canceled, context.Canceled}, {expired, context.DeadlineExceeded}} {
		_, headErr := store.Head(c.ctx, Bucket, "old.jpg")
		r, _, getErr := store.Get(c.ctx, Bucket, "old.jpg")
		if getErr == nil {
			_ = r.Close()
		}
		for method, err := range map[string]error{
			"Put":    store.Put(c.ctx, picture(Bucket, "new.jpg", jpeg(100, 'n'))),
			"Head":   headErr,
			"Get":    getErr,
			"Delete": store.Delete(c.ctx, Bucket, "old.jpg"),
		} {
			if !errors.Is(err, c.want) {
				t.Errorf("%s gave the error %v, want %v", method, err, c.want)
			}
		}
	}
	wantBody(t, store, Bucket, "old.jpg", jpeg(100, 'o'))
	wantMissing(t, store, Bucket, "new.jpg")
}

// url checks the form only; whether pictures can be downloaded is up to each
// store's own tests.
func (s suite) url(t *testing.T) {
	store := s.open(t)
	now := time.Now()
	seen := make(map[string]string)
	for _, key := range oddKeys() {
		for _, bucket := range []string{"", Bucket} {
			got, err := store.URL(stillcast.Shot{Bucket: bucket, Key: key}, now)
			if err != nil {
				t.Errorf("URL(%q, %q): %v", bucket, key, err)
				continue
			}
			u, err := url.Parse(got)
			if err != nil || !u.IsAbs() || u.Host == "" {
				t.Errorf("URL(%q, %q) is %q, which is no absolute URL", bucket, key, got)
				continue
			}
			if !strings.HasSuffix(u.Path, "/"+key) || u.Fragment != "" {
				t.Errorf("URL(%q, %q) is %q; its path does not end in the key", bucket, key, got)
			}
			name, location := fmt.Sprintf("%q, %q", bucket, key), u.Host+u.Path
			if other, ok := seen[location]; ok {
				t.Errorf("URL(%s) and URL(%s) are the same: %q", name, other, got)
			}
			seen[location] = name
		}
	}
}
