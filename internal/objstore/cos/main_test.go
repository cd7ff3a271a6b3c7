package cos_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"go.uber.org/goleak"

	"github.com/stillcast/stillcast/internal/objstore/cos"
	"github.com/stillcast/stillcast/internal/objstore/cos/costest"
	"github.com/stillcast/stillcast/internal/objstore/objstoretest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	secretID  = "AKIDexampleexampleexample"
	secretKey = "very-secret-key"
	token     = "very-secret-token"
	own       = "stillcast-1250000000"
	region    = "ap-guangzhou"
	elsewhere = "elsewhere-1250000000" // a bucket in another region
	farRegion = "na-siliconvalley"
)

// double starts a double of COS, and returns it with the settings that reach
// it: as a proxy, so that the hosts are those of COS.
func double(t testing.TB) (*costest.Server, cos.Config) {
	t.Helper()
	d := costest.New(costest.Options{
		SecretID: secretID, SecretKey: secretKey, Token: token,
		Buckets: map[string]string{own: region, objstoretest.Bucket: region, elsewhere: farRegion},
	})
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	c := cos.DefaultConfig()
	c.Bucket, c.Region, c.Scheme, c.Proxy = own, region, "http", server.URL
	c.SecretID, c.SecretKey, c.SessionToken = secretID, secretKey, token
	return d, c
}

func open(t testing.TB, c cos.Config) *cos.Store {
	t.Helper()
	s, err := cos.Open(c)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// through returns a client that goes the way of the settings.
func through(t testing.TB, c cos.Config) *http.Client {
	t.Helper()
	proxy, err := url.Parse(c.Proxy)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{Proxy: http.ProxyURL(proxy)}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}
