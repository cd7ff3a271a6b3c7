package cos_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/objstore"
	"github.com/stillcast/stillcast/internal/objstore/cos"
	"github.com/stillcast/stillcast/internal/objstore/objstoretest"
)

func TestPublicURL(t *testing.T) {
	tests := []struct {
		name                string
		change              func(*cos.Config)
		bucket, region, key string
		want                string
	}{
		// The form of the event's documentation: http, whatever the store itself speaks.
		{
			"a shot's", func(*cos.Config) {}, "shots-1250000000", "ap-shanghai", "channelid/channelid-screenshot-10-12-05-1280x720.jpg",
			"http://shots-1250000000.cos.ap-shanghai.myqcloud.com/channelid/channelid-screenshot-10-12-05-1280x720.jpg",
		},
		{"own bucket and region", func(*cos.Config) {}, "", "", "a.jpg", "http://stillcast-1250000000.cos.ap-guangzhou.myqcloud.com/a.jpg"},
		{
			"odd key", func(*cos.Config) {}, "", "", "直播/a b+c%2F?#;~'.jpg",
			"http://stillcast-1250000000.cos.ap-guangzhou.myqcloud.com/%E7%9B%B4%E6%92%AD/a%20b%2Bc%252F%3F%23%3B~'.jpg",
		},
		{
			"accelerate is the store's own way", func(c *cos.Config) { c.Endpoint = cos.EndpointAccelerate }, "", "", "a.jpg",
			"http://stillcast-1250000000.cos.ap-guangzhou.myqcloud.com/a.jpg",
		},
		{
			"so is internal", func(c *cos.Config) { c.Endpoint = cos.EndpointInternal }, "", "", "a.jpg",
			"http://stillcast-1250000000.cos.ap-guangzhou.myqcloud.com/a.jpg",
		},
		{
			"private cloud", func(c *cos.Config) { c.Endpoint = "https://{bucket}.cos.{region}.example.com:8443" }, "", "r", "a.jpg",
			"https://stillcast-1250000000.cos.r.example.com:8443/a.jpg",
		},
		{
			"configured", func(c *cos.Config) { c.PublicURL = "https://{bucket}.cos.accelerate.myqcloud.com/" }, "", "", "a.jpg",
			"https://stillcast-1250000000.cos.accelerate.myqcloud.com/a.jpg",
		},
	}
	for _, tt := range tests {
		c := good()
		tt.change(&c)
		got, err := open(t, c).PublicURL(tt.bucket, tt.region, tt.key)
		if got != tt.want || err != nil {
			t.Errorf("%s: PublicURL gave %q, %v, want %q", tt.name, got, err, tt.want)
		}
		if u, err := url.Parse(got); err != nil || u.Path != "/"+tt.key {
			t.Errorf("%s: the path of %q is not the key: %v", tt.name, got, err)
		}
	}
}

// TestNamesCannotLeadElsewhere: neither bucket nor region of a template changes
// the host that gets the signature.
func TestNamesCannotLeadElsewhere(t *testing.T) {
	s := open(t, good())
	for _, n := range []struct{ bucket, region string }{
		{"shots", region},
		{"a.b-1", region},
		{"a/b-1", region},
		{"a#-1", region},
		{"a@b-1", region},
		{"shots-1", "evil.example.com/"},
		{"shots-1", "a@b"},
		{"shots-1", "-"},
		{"shots-1", "A"},
		{"shots-1", "r?"},
	} {
		_, urlErr := s.PublicURL(n.bucket, n.region, "a.jpg")
		_, presignErr := s.In(n.region).Presign(t.Context(), n.bucket, "a.jpg", time.Hour)
		for method, err := range map[string]error{
			"PublicURL": urlErr, "Presign": presignErr,
			"Put":    s.Put(t.Context(), objstore.Object{Bucket: n.bucket, Region: n.region, Key: "a.jpg"}),
			"Delete": s.In(n.region).Delete(t.Context(), n.bucket, "a.jpg"),
		} {
			if !errors.Is(err, objstore.ErrName) {
				t.Errorf("%s with bucket %q and region %q gave the error %v, want ErrName", method, n.bucket, n.region, err)
			}
		}
	}
	one := good()
	one.Endpoint = "https://pictures.example.com"
	if _, err := open(t, one).PublicURL("shots-1", "", "a.jpg"); !errors.Is(err, objstore.ErrName) {
		t.Errorf("another bucket at the endpoint of one gave the error %v, want ErrName", err)
	}
}

func TestPresignLeadsToThePublicHost(t *testing.T) {
	tests := []struct {
		name   string
		change func(*cos.Config)
		want   string
	}{
		{"default", func(*cos.Config) {}, "https://shots-1250000000.cos.ap-guangzhou.myqcloud.com/a%20b.jpg?"},
		{"internal", func(c *cos.Config) { c.Endpoint = cos.EndpointInternal }, "https://shots-1250000000.cos.ap-guangzhou.myqcloud.com/a%20b.jpg?"},
		{"public URL", func(c *cos.Config) { c.PublicURL = "https://{bucket}.example.com" }, "https://shots-1250000000.example.com/a%20b.jpg?"},
		{"private cloud", func(c *cos.Config) { c.Endpoint = "http://{bucket}.example.com" }, "http://shots-1250000000.example.com/a%20b.jpg?"},
	}
	for _, tt := range tests {
		c := good()
		c.SessionToken = token
		tt.change(&c)
		got, err := open(t, c).Presign(t.Context(), objstoretest.Bucket, "a b.jpg", time.Hour)
		if err != nil || !strings.HasPrefix(got, tt.want) || !strings.Contains(got, "x-cos-security-token="+token) || strings.Contains(got, secretKey) {
			t.Errorf("%s: Presign gave %q, %v, want %q…", tt.name, got, err, tt.want)
		}
	}
}

// TestRegions: a bucket is reached in its own region alone, which the object
// tells, or else the view of the store.
func TestRegions(t *testing.T) {
	_, c := double(t)
	s := open(t, c)
	o := objstore.Object{Bucket: elsewhere, Key: "a.jpg", Body: []byte("far"), ContentType: "image/jpeg"}
	if err := s.Put(t.Context(), o); !errors.Is(err, objstore.ErrUnavailable) {
		t.Errorf("Put into another region's bucket gave the error %v, want ErrUnavailable", err)
	}
	o.Region = farRegion
	if err := s.Put(t.Context(), o); err != nil {
		t.Errorf("Put with the bucket's region: %v", err)
	}
	far := s.In(farRegion)
	if info, err := far.Head(t.Context(), elsewhere, "a.jpg"); err != nil || info.Size != 3 {
		t.Errorf("Head in the bucket's region gave %+v, %v", info, err)
	}
	signed, err := far.Presign(t.Context(), elsewhere, "a.jpg", time.Hour)
	if err != nil {
		t.Fatalf("Presign: %v", err)
	}
	if got := fetch(t, through(t, c), signed); got != "far" {
		t.Errorf("%s gave %q", signed, got)
	}
	if err := far.In("").Put(t.Context(), objstore.Object{Key: "b.jpg"}); err != nil {
		t.Errorf("Put in the store's own region: %v", err)
	}
}

func fetch(t *testing.T, client *http.Client, address string) string {
	t.Helper()
	resp, err := client.Get(address)
	if err != nil {
		t.Fatalf("GET: %v", err)
	}
	body, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatalf("GET: %v", err)
	}
	return string(body)
}

// TestEndpoints: each endpoint is one that the double knows by its host.
func TestEndpoints(t *testing.T) {
	for _, endpoint := range []string{cos.EndpointDefault, cos.EndpointAccelerate, cos.EndpointInternal, "http://{bucket}.cos.{region}.tencentcos.cn"} {
		_, c := double(t)
		c.Endpoint = endpoint
		s := open(t, c)
		if err := errors.Join(s.Check(t.Context()), s.Put(t.Context(), objstore.Object{Key: "a.jpg", Body: []byte("x")})); err != nil {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
}
