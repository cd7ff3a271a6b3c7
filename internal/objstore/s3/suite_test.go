package s3_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/objstore/objstoretest"
	"github.com/stillcast/stillcast/internal/objstore/s3"
	"github.com/stillcast/stillcast/internal/testkit"
)

const ownBucket = "own-1250000000"

// virtualDomain is no name of anybody; tests connect to it by themselves.
const virtualDomain = "s3.stillcast.test"

// gateway is a real server and how to get at it.
type gateway struct {
	*testkit.VersityGW
	virtual bool
}

func startGateway(t testing.TB, o testkit.VersityGWOptions) *gateway {
	t.Helper()
	g := testkit.StartVersityGW(t, o, ownBucket, objstoretest.Bucket)
	return &gateway{VersityGW: g, virtual: o.VirtualDomain != ""}
}

func (g *gateway) split() (scheme, host string) {
	scheme, host, _ = strings.Cut(g.Endpoint, "://")
	return scheme, host
}

// config has all objects in one bucket, or with bucket "" in the one they name.
func (g *gateway) config(bucket string) s3.Config {
	c := s3.DefaultConfig()
	c.Endpoint, c.Bucket, c.CAFile = g.Endpoint, bucket, g.CAFile
	c.AccessKey, c.SecretKey = g.AccessKey, stillcast.Secret(g.SecretKey)
	if g.virtual {
		scheme, _ := g.split()
		c.Endpoint, c.Addressing = scheme+"://"+virtualDomain, s3.AddressingVirtual
	}
	return c
}

// dial connects to the server, whatever name it is called by.
func (g *gateway) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	_, host := g.split()
	return (&net.Dialer{}).DialContext(ctx, network, host)
}

// client fetches what URLs promise.
func (g *gateway) client(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{DialContext: g.dial}
	if g.CAFile != "" {
		pem, err := os.ReadFile(g.CAFile)
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// open opens a store that connects to the server.
func (g *gateway) open(t testing.TB, c s3.Config) *s3.Store {
	t.Helper()
	if !g.virtual {
		return openStore(t, c)
	}
	s, err := s3.OpenDial(c, g.dial)
	return opened(t, s, err)
}

func openStore(t testing.TB, c s3.Config) *s3.Store {
	t.Helper()
	s, err := s3.Open(c)
	return opened(t, s, err)
}

func opened(t testing.TB, s *s3.Store, err error) *s3.Store {
	t.Helper()
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

// empty removes all objects, so that one server does for many tests.
func (g *gateway) empty(t *testing.T) {
	t.Helper()
	for _, bucket := range []string{ownBucket, objstoretest.Bucket} {
		folder := filepath.Join(g.Dir, bucket)
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if err := os.RemoveAll(filepath.Join(folder, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestSuite(t *testing.T) {
	tests := map[string]struct {
		server testkit.VersityGWOptions
		bucket string // of the configuration
		change func(*s3.Config)
	}{
		"path":             {},
		"path, one bucket": {bucket: ownBucket, change: func(c *s3.Config) { c.StorageClass, c.ACL = "STANDARD", "private" }},
		"virtual":          {server: testkit.VersityGWOptions{VirtualDomain: virtualDomain}},
		"virtual, one bucket, own CA, MD5": {
			server: testkit.VersityGWOptions{VirtualDomain: virtualDomain, TLS: true}, bucket: ownBucket,
			change: func(c *s3.Config) { c.ContentMD5 = true },
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := startGateway(t, test.server)
			config := g.config(test.bucket)
			if test.change != nil {
				test.change(&config)
			}
			objstoretest.Run(t, objstoretest.Suite{
				Open: func(t *testing.T) objstoretest.Store {
					t.Helper()
					g.empty(t)
					return g.open(t, config)
				},
				Faulty: func(t *testing.T, fault objstoretest.Fault) objstoretest.Store {
					t.Helper()
					return g.faulty(t, config, fault)
				},
				Client: g.client(t),
				// A file system's limit: the server keeps objects as files.
				Lacks: objstoretest.Lacks{NestedKeys: true, Buckets: test.bucket != "", OwnBucket: test.bucket == ""},
			})
		})
	}
}
