package s3_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/stillcast/stillcast/internal/objstore"
	"github.com/stillcast/stillcast/internal/objstore/s3"
	"github.com/stillcast/stillcast/internal/testkit"
)

func picture(key string, body []byte) objstore.Object {
	return objstore.Object{Key: key, Body: body, ContentType: "image/jpeg", CacheControl: "max-age=60"}
}

// behindProxy is a store whose requests can be looked at on their way to a real server.
func behindProxy(t *testing.T, change func(*s3.Config)) (*s3.Store, *proxy) {
	t.Helper()
	g := startGateway(t, testkit.VersityGWOptions{})
	p := newProxy(t, g, "")
	c := g.config(ownBucket)
	c.Endpoint = "http://" + p.address
	if change != nil {
		change(&c)
	}
	return openStore(t, c), p
}

func only(t *testing.T, p *proxy) *http.Request {
	t.Helper()
	requests := p.asked()
	if len(requests) != 1 {
		t.Fatalf("%d requests were made, want one", len(requests))
	}
	return requests[0]
}

// TestPutHeaders looks at what of the settings reaches a server. That it does
// not accept all of it is of no matter here.
func TestPutHeaders(t *testing.T) {
	t.Parallel()
	body := bytes.Repeat([]byte("picture "), 20_000)
	sha, sum := sha256.Sum256(body), md5.Sum(body)
	always := http.Header{
		"Content-Type": {"image/jpeg"}, "Cache-Control": {"max-age=60"}, "X-Amz-Meta-Event-Id": {"id 1"}, "X-Amz-Meta-Acl": {"x"},
		"X-Amz-Content-Sha256": {hex.EncodeToString(sha[:])}, "Content-Length": {"160000"},
	}
	tests := map[string]struct {
		change func(*s3.Config)
		want   http.Header
	}{
		"bare": {func(*s3.Config) {}, http.Header{}},
		"acl and class": {
			func(c *s3.Config) { c.ACL, c.StorageClass = "public-read", "STANDARD_IA" },
			http.Header{"X-Amz-Acl": {"public-read"}, "X-Amz-Storage-Class": {"STANDARD_IA"}},
		},
		"SSE-S3": {
			func(c *s3.Config) { c.Encryption = s3.EncryptionS3 },
			http.Header{"X-Amz-Server-Side-Encryption": {"AES256"}},
		},
		"SSE-KMS": {
			func(c *s3.Config) {
				c.Encryption, c.KMSKey = s3.EncryptionKMS, "arn:aws:kms:eu-west-1:111122223333:key/1"
			},
			http.Header{
				"X-Amz-Server-Side-Encryption":                {"aws:kms"},
				"X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": {"arn:aws:kms:eu-west-1:111122223333:key/1"},
			},
		},
		"SSE-KMS by the bucket's key": {
			func(c *s3.Config) { c.Encryption = s3.EncryptionKMS },
			http.Header{"X-Amz-Server-Side-Encryption": {"aws:kms"}},
		},
		"MD5": {
			func(c *s3.Config) { c.ContentMD5 = true },
			http.Header{"Content-Md5": {base64.StdEncoding.EncodeToString(sum[:])}},
		},
		"session": {
			func(c *s3.Config) { c.SessionToken = "token/1" },
			http.Header{"X-Amz-Security-Token": {"token/1"}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p := behindProxy(t, test.change)
			o := picture("a/b c.jpg", body)
			o.Metadata = map[string]string{"event-id": "id 1", "acl": "x"}
			if err := s.Put(t.Context(), o); err != nil {
				t.Logf("the server says: %v", err)
			}
			r := only(t, p)
			if r.Method != http.MethodPut || r.URL.EscapedPath() != "/"+ownBucket+"/a/b%20c.jpg" || r.URL.RawQuery != "" {
				t.Errorf("the request is %s %s", r.Method, r.URL)
			}
			got := r.Header.Clone()
			for _, varies := range []string{"Authorization", "X-Amz-Date", "User-Agent"} {
				if got.Get(varies) == "" {
					t.Errorf("the request has no %s", varies)
				}
				got.Del(varies)
			}
			want := always.Clone()
			maps.Copy(want, test.want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
		})
	}
}

// TestOneRequest: not even a large object is cut, and nothing is tried again.
func TestOneRequest(t *testing.T) {
	t.Parallel()
	s, p := behindProxy(t, nil)
	large := bytes.Repeat([]byte{7}, 17<<20)
	if err := s.Put(t.Context(), picture("large.jpg", large)); err != nil {
		t.Fatal(err)
	}
	only(t, p)
	r, _, err := s.Get(t.Context(), "", "large.jpg")
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil || !bytes.Equal(got, large) {
		t.Errorf("%d bytes came back of %d: %v", len(got), len(large), err)
	}
	only(t, p)
	p.fault = "throttled"
	if err := s.Put(t.Context(), picture("large.jpg", large)); !errors.Is(err, objstore.ErrThrottled) {
		t.Errorf("Put gave the error %v, want ErrThrottled", err)
	}
	only(t, p)
}

// TestDamagedOnTheWay: the server refuses a picture of which a byte is not as
// it was sent, and keeps the one it had.
func TestDamagedOnTheWay(t *testing.T) {
	t.Parallel()
	s, p := behindProxy(t, nil)
	old := bytes.Repeat([]byte("old "), 25_000)
	if err := s.Put(t.Context(), picture("a.jpg", old)); err != nil {
		t.Fatal(err)
	}
	p.change = func(r *http.Request) {
		if r.Method == http.MethodPut {
			r.Body = io.NopCloser(io.MultiReader(io.LimitReader(r.Body, 50_000), skipped{r.Body}, r.Body))
		}
	}
	err := s.Put(t.Context(), picture("a.jpg", bytes.Repeat([]byte("new "), 25_000)))
	if !errors.Is(err, objstore.ErrUnavailable) {
		t.Errorf("Put gave the error %v, want ErrUnavailable", err)
	}
	r, _, err := s.Get(t.Context(), "", "a.jpg")
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil || !bytes.Equal(got, old) {
		t.Errorf("after a damaged put %d bytes are there that are not the old ones: %v", len(got), err)
	}
}

// skipped reads a byte of another reader, and gives another one.
type skipped struct{ from io.Reader }

func (s skipped) Read(b []byte) (int, error) {
	if _, err := io.ReadFull(s.from, b[:1]); err != nil {
		return 0, err
	}
	b[0] ^= 0xFF
	return 1, io.EOF
}

// TestServerGoesAndComesBack: what was put is there afterwards, and the same
// store reaches it.
func TestServerGoesAndComesBack(t *testing.T) {
	t.Parallel()
	g := startGateway(t, testkit.VersityGWOptions{})
	s := openStore(t, g.config(ownBucket))
	if err := s.Put(t.Context(), picture("a.jpg", []byte("a"))); err != nil {
		t.Fatal(err)
	}
	g.Stop()
	if err := s.Put(t.Context(), picture("b.jpg", []byte("b"))); !errors.Is(err, objstore.ErrUnavailable) {
		t.Errorf("without a server Put gave the error %v, want ErrUnavailable", err)
	}
	if err := s.Check(t.Context()); !errors.Is(err, objstore.ErrUnavailable) {
		t.Errorf("without a server Check gave the error %v, want ErrUnavailable", err)
	}
	g.Restart(t)
	if err := s.Put(t.Context(), picture("b.jpg", []byte("b"))); err != nil {
		t.Errorf("Put afterwards: %v", err)
	}
	for _, key := range []string{"a.jpg", "b.jpg"} {
		if _, err := s.Head(t.Context(), "", key); err != nil {
			t.Errorf("Head(%q): %v", key, err)
		}
	}
}

// TestConnectionsAreKept makes ten times eight requests at once: the second
// eight find the connections of the first.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	const atOnce, rounds = 8, 10
	s, p := behindProxy(t, func(c *s3.Config) { c.Connections = atOnce })
	for round := range rounds {
		var workers sync.WaitGroup
		for w := range atOnce {
			workers.Go(func() {
				if err := s.Put(t.Context(), picture(fmt.Sprintf("%d/%d.jpg", w, round), []byte("x"))); err != nil {
					t.Errorf("Put: %v", err)
				}
			})
		}
		workers.Wait()
	}
	// A request may dial while a connection is about to be free, so a few more are made.
	if got := p.conns.Load(); got > 2*atOnce {
		t.Errorf("%d connections were made for %d requests, %d at once", got, rounds*atOnce, atOnce)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	g := startGateway(t, testkit.VersityGWOptions{})
	tests := map[string]struct {
		change func(*s3.Config)
		want   error
		says   string
	}{
		"good":                     {func(*s3.Config) {}, nil, ""},
		"no bucket configured":     {func(c *s3.Config) { c.Bucket = "" }, nil, ""},
		"bucket does not exist":    {func(c *s3.Config) { c.Bucket = "typing-error" }, objstore.ErrUnavailable, "the bucket typing-error does not exist"},
		"wrong key":                {func(c *s3.Config) { c.SecretKey = "hidden-123" }, objstore.ErrDenied, "SignatureDoesNotMatch"},
		"unknown user":             {func(c *s3.Config) { c.AccessKey = "nobody" }, objstore.ErrDenied, "XAdminUserNotFound"},
		"wrong key, no bucket":     {func(c *s3.Config) { c.SecretKey, c.Bucket = "hidden-123", "" }, objstore.ErrDenied, "SignatureDoesNotMatch"},
		"nobody listens":           {func(c *s3.Config) { c.Endpoint = "http://127.0.0.1:1" }, objstore.ErrUnavailable, "connection refused"},
		"TLS to a server without":  {func(c *s3.Config) { c.Endpoint = strings.Replace(c.Endpoint, "http:", "https:", 1) }, objstore.ErrUnavailable, "HTTP response to HTTPS client"},
		"region that is not there": {func(c *s3.Config) { c.Region = "eu-north-1" }, objstore.ErrDenied, "AuthorizationHeaderMalformed"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := g.config(ownBucket)
			test.change(&c)
			err := openStore(t, c).Check(t.Context())
			if !errors.Is(err, test.want) || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("Check gave the error %v, want %v saying %q", err, test.want, test.says)
			}
			if err != nil && strings.Contains(err.Error(), "hidden-123") {
				t.Errorf("the error tells the key: %v", err)
			}
		})
	}
}

// TestPublicURLDownloads opens a bucket to everybody.
func TestPublicURLDownloads(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]testkit.VersityGWOptions{"path": {}, "virtual": {VirtualDomain: virtualDomain}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := startGateway(t, o)
			s := g.open(t, g.config(""))
			o := picture("直播/a b+c%2F.jpg", []byte("public"))
			o.Bucket = ownBucket
			if err := s.Put(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			u, err := s.PublicURL(ownBucket, "another-region", o.Key)
			if err != nil {
				t.Fatal(err)
			}
			if status, _ := fetch(t, g.client(t), u); status != http.StatusForbidden {
				t.Errorf("the URL of a private bucket is answered with status %d, want 403", status)
			}
			publish(t, g)
			if status, body := fetch(t, g.client(t), u); status != http.StatusOK || body != "public" {
				t.Errorf("%s is answered with status %d and %q", u, status, body)
			}
		})
	}
}

// publish lets everybody read a bucket.
func publish(t *testing.T, g *gateway) {
	t.Helper()
	_, host := g.split()
	client, err := minio.New(host, &minio.Options{Creds: credentials.NewStaticV4(g.AccessKey, g.SecretKey, ""), Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	err = client.SetBucketPolicy(t.Context(), ownBucket, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",
		"Action":"s3:GetObject","Resource":"arn:aws:s3:::`+ownBucket+`/*"}]}`)
	if err != nil {
		t.Fatalf("opening the bucket: %v", err)
	}
}

func fetch(t *testing.T, client *http.Client, address string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(got)
}

// TestURLForms are those of stores that no test can reach.
func TestURLForms(t *testing.T) {
	t.Parallel()
	tests := []struct {
		endpoint, region string
		addressing       s3.Addressing
		bucket, want     string
	}{
		{"https://s3.amazonaws.com", "eu-west-1", "auto", "shots", "https://shots.s3.eu-west-1.amazonaws.com/a%20b/c.jpg"},
		{"https://s3.eu-west-1.amazonaws.com", "eu-west-1", "auto", "shots", "https://shots.s3.eu-west-1.amazonaws.com/a%20b/c.jpg"},
		{"https://s3.eu-west-1.amazonaws.com", "eu-west-1", "path", "shots", "https://s3.eu-west-1.amazonaws.com/shots/a%20b/c.jpg"},
		// A dot would need another certificate.
		{"https://s3.eu-west-1.amazonaws.com", "eu-west-1", "auto", "sh.ots", "https://s3.eu-west-1.amazonaws.com/sh.ots/a%20b/c.jpg"},
		{"https://minio.example.com:9000", "us-east-1", "auto", "shots", "https://minio.example.com:9000/shots/a%20b/c.jpg"},
		{"https://minio.example.com:9000/", "us-east-1", "virtual", "shots", "https://shots.minio.example.com:9000/a%20b/c.jpg"},
		{"http://[::1]:9000", "us-east-1", "auto", "shots", "http://[::1]:9000/shots/a%20b/c.jpg"},
	}
	for _, test := range tests {
		c := s3.DefaultConfig()
		c.Endpoint, c.Region, c.Addressing, c.AccessKey, c.SecretKey = test.endpoint, test.region, test.addressing, "a", "s"
		s := openStore(t, c)
		got, err := s.PublicURL(test.bucket, "", "a b/c.jpg")
		if err != nil || got != test.want {
			t.Errorf("PublicURL by %s, %s is %q, %v; want %q", test.endpoint, test.addressing, got, err, test.want)
		}
		signed, err := s.Presign(t.Context(), test.bucket, "a b/c.jpg", time.Hour)
		if err != nil || !strings.Contains(signed, "X-Amz-Expires=3600") || !strings.Contains(signed, "a%20b/c.jpg?") {
			t.Errorf("Presign by %s, %s is %q, %v", test.endpoint, test.addressing, signed, err)
		}
	}
}

// TestErrorsHideCredentials goes through the ways to fail.
func TestErrorsHideCredentials(t *testing.T) {
	t.Parallel()
	g := startGateway(t, testkit.VersityGWOptions{})
	c := g.config(ownBucket)
	c.SecretKey, c.SessionToken = "hidden-123", "hidden-456"
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, endpoint := range []string{g.Endpoint, "http://127.0.0.1:1"} {
		c.Endpoint = endpoint
		s := openStore(t, c)
		for _, ctx := range []context.Context{t.Context(), canceled} {
			_, headErr := s.Head(ctx, "", "a.jpg")
			_, _, getErr := s.Get(ctx, "", "a.jpg")
			for _, err := range []error{
				headErr, getErr, s.Put(ctx, picture("a.jpg", []byte("a"))), s.Delete(ctx, "", "a.jpg"), s.Check(ctx),
			} {
				if err == nil || strings.Contains(fmt.Sprintf("%+v", err), "hidden") {
					t.Errorf("the error %v is none or tells credentials", err)
				}
			}
		}
	}
	if shown := fmt.Sprintf("%+v", c); strings.Contains(shown, "hidden") {
		t.Errorf("printed settings tell credentials: %s", shown)
	}
}
