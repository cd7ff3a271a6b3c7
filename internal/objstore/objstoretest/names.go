package objstoretest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast/internal/objstore"
)

func (s Suite) oddKeys(t *testing.T) {
	store := s.Open(t)
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

func (s Suite) nestedKeys(t *testing.T) {
	for _, order := range [][2]string{{"n", "n/below.jpg"}, {"n/below.jpg", "n"}} {
		store := s.Open(t)
		mustPut(t, store, picture(Bucket, order[0], jpeg(10, '1')))
		err := store.Put(t.Context(), picture(Bucket, order[1], jpeg(10, '2')))
		switch {
		case s.Lacks.NestedKeys && !errors.Is(err, objstore.ErrName):
			t.Errorf("Put(%q) beside %q gave the error %v, want ErrName as nested keys are declared lacking", order[1], order[0], err)
		case !s.Lacks.NestedKeys && err != nil:
			t.Errorf("Put(%q) beside %q: %v", order[1], order[0], err)
		case !s.Lacks.NestedKeys:
			wantBody(t, store, Bucket, order[1], jpeg(10, '2'))
		}
		wantBody(t, store, Bucket, order[0], jpeg(10, '1'))
	}
}

func (s Suite) badNames(t *testing.T) {
	store := s.Open(t)
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
		_, urlErr := store.PublicURL(n.bucket, "", n.key)
		_, presignErr := store.Presign(t.Context(), n.bucket, n.key, time.Hour)
		for method, err := range map[string]error{
			"Put":       store.Put(t.Context(), picture(n.bucket, n.key, jpeg(10, 'b'))),
			"Get":       getErr,
			"Head":      headErr,
			"Delete":    store.Delete(t.Context(), n.bucket, n.key),
			"PublicURL": urlErr,
			"Presign":   presignErr,
		} {
			if !errors.Is(err, objstore.ErrName) {
				t.Errorf("%s(%.40q, %.40q) gave the error %v, want ErrName", method, n.bucket, n.key, err)
			}
		}
	}
}

func (s Suite) contentType(t *testing.T) {
	store := s.Open(t)
	mustPut(t, store, picture(Bucket, "no-extension", jpeg(100, 'j')))
	if got := mustHead(t, store, Bucket, "no-extension").ContentType; got != jpegType {
		t.Errorf("a picture without extension has the content type %q, want %q", got, jpegType)
	}
	text := picture(Bucket, "notes.html", []byte("<html>hello</html>"))
	text.ContentType = "text/plain; charset=utf-8"
	mustPut(t, store, text)
	got := mustHead(t, store, Bucket, "notes.html").ContentType
	if kept := got == text.ContentType; kept == s.Lacks.ContentType {
		t.Errorf("a content type is kept: %v (%q), but declared lacking: %v", kept, got, s.Lacks.ContentType)
	}
	if strings.HasPrefix(got, "text/html") {
		t.Errorf("what is no picture has the content type %q, which a browser would run", got)
	}
}

func (s Suite) cacheControl(t *testing.T) {
	store := s.Open(t)
	o := picture(Bucket, "c.jpg", jpeg(100, 'c'))
	o.CacheControl = "no-store, max-age=12345"
	mustPut(t, store, o)
	got := mustHead(t, store, Bucket, "c.jpg").CacheControl
	if kept := got == o.CacheControl; kept == s.Lacks.CacheControl {
		t.Errorf("Cache-Control is kept: %v (%q), but declared lacking: %v", kept, got, s.Lacks.CacheControl)
	}
}

func (s Suite) context(t *testing.T) {
	store := s.Open(t)
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

// publicURL checks the form only; whether pictures can be downloaded there is
// up to each store's own tests, as it depends on what the bucket allows.
func (s Suite) publicURL(t *testing.T) {
	store := s.Open(t)
	seen := make(map[string]string)
	for _, key := range oddKeys() {
		for _, bucket := range []string{"", Bucket} {
			got, err := store.PublicURL(bucket, "", key)
			if bucket == "" && s.Lacks.OwnBucket {
				wantKind(t, "PublicURL", err, objstore.ErrName)
				continue
			}
			if err != nil {
				t.Errorf("PublicURL(%q, %q): %v", bucket, key, err)
				continue
			}
			u, err := url.Parse(got)
			if err != nil || !u.IsAbs() || u.Host == "" {
				t.Errorf("PublicURL(%q, %q) is %q, which is no absolute URL", bucket, key, got)
				continue
			}
			if !strings.HasSuffix(u.Path, "/"+key) || u.Fragment != "" {
				t.Errorf("PublicURL(%q, %q) is %q; its path does not end in the key", bucket, key, got)
			}
			name, location := fmt.Sprintf("%q, %q", bucket, key), u.Host+u.Path
			if s.Lacks.Buckets {
				name = fmt.Sprintf("%q", key)
			}
			if other, ok := seen[location]; ok && other != name {
				t.Errorf("PublicURL(%s) and PublicURL(%s) are the same: %q", name, other, got)
			}
			seen[location] = name
		}
	}
}

func (s Suite) metadata(t *testing.T) {
	store := s.Open(t)
	want := map[string]string{
		"event-id": "0193a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b", "stream": "push.example.com/live/cam 1?a=b&c=%41+\"d\"", "n0": "~",
	}
	o := picture(Bucket, "m.jpg", jpeg(100, 'm'))
	o.Metadata = want
	mustPut(t, store, o)
	got := mustHead(t, store, Bucket, "m.jpg").Metadata
	if s.Lacks.Metadata {
		want = nil
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metadata, declared lacking: %v (-want +got):\n%s", s.Lacks.Metadata, diff)
	}
	_, info := mustGet(t, store, Bucket, "m.jpg")
	if diff := cmp.Diff(got, info.Metadata); diff != "" {
		t.Errorf("Get gives other metadata than Head (-head +get):\n%s", diff)
	}
	mustPut(t, store, picture(Bucket, "m.jpg", jpeg(100, 'm')))
	if got := mustHead(t, store, Bucket, "m.jpg").Metadata; got != nil {
		t.Errorf("an object put without metadata has that of the one before it: %v", got)
	}
}

func (s Suite) badMetadata(t *testing.T) {
	store := s.Open(t)
	for _, bad := range []map[string]string{
		{"": "v"},
		{"Upper": "v"},
		{"under_score": "v"},
		{"k": ""},
		{"k": "line\nbreak"},
		{"k": "é"},
		{"k": " v"},
		{"k": strings.Repeat("v", objstore.MaxMetadata)},
	} {
		o := picture(Bucket, "bad.jpg", jpeg(10, 'b'))
		o.Metadata = bad
		if err := store.Put(t.Context(), o); !errors.Is(err, objstore.ErrName) {
			t.Errorf("Put with the metadata %.40q gave the error %v, want ErrName", bad, err)
		}
	}
	wantMissing(t, store, Bucket, "bad.jpg")
}
