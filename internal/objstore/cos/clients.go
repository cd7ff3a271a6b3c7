package cos

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	sdk "github.com/tencentyun/cos-go-sdk-v5"

	"github.com/stillcast/stillcast"
)

const (
	// maxClients is how many clients are kept. A client is one bucket in one
	// region, and small: it has its connections in common with all others.
	maxClients = 256
	// maxAnswer is how many bytes of an answer that is no object are read. Real
	// ones have some hundred.
	maxAnswer = 64 << 10

	idlePerHost = 64 // connections; as many uploads as that run at once without a new handshake each
	idleTimeout = 55 * time.Second
	dialTimeout = 10 * time.Second
)

// clients are the SDK's clients, one for each base of URLs.
type clients struct {
	auth *sdk.AuthorizationTransport

	mutex  sync.Mutex
	byBase map[string]*sdk.Client
}

func newClients(transport http.RoundTripper, s secrets) clients {
	return clients{
		auth: &sdk.AuthorizationTransport{
			SecretID: s.ID, SecretKey: s.Key.Reveal(), SessionToken: s.Token.Reveal(), Transport: shortAnswers{transport},
		},
		byBase: make(map[string]*sdk.Client),
	}
}

// at returns the client for a base of URLs, http(s)://HOST[:PORT].
func (c *clients) at(base string) (*sdk.Client, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if client, ok := c.byBase[base]; ok {
		return client, nil
	}
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("the endpoint: %w", err)
	}
	client := sdk.NewClient(&sdk.BaseURL{BucketURL: u}, &http.Client{
		Transport: c.auth,
		// A redirect would take the signature to whoever is named in it.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	})
	client.Conf.EnableCRC = false // compared by checkStored, whose errors say what is wrong
	client.Conf.RetryOpt = sdk.RetryOptions{Count: 1}
	for some := range c.byBase {
		if len(c.byBase) < maxClients {
			break
		}
		delete(c.byBase, some)
	}
	c.byBase[base] = client
	return client, nil
}

func newTransport(c Config) (*http.Transport, error) {
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   dialTimeout,
		MaxIdleConns:          maxClients,
		MaxIdleConnsPerHost:   idlePerHost,
		IdleConnTimeout:       idleTimeout,
		ExpectContinueTimeout: time.Second,
		DisableCompression:    true, // the length and the checksum of an object are those of what is stored
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if c.Proxy != "" {
		u, err := url.Parse(c.Proxy)
		if err != nil {
			return nil, stillcast.Errorf(stillcast.CodeInvalid, "proxy", "is no URL")
		}
		t.Proxy = http.ProxyURL(u)
	}
	if c.CAFile == "" {
		return t, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "ca_file", "cannot be read: %s", err)
	}
	if t.TLSClientConfig.RootCAs, err = x509.SystemCertPool(); err != nil {
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
	}
	if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "ca_file", "%s holds no certificate in PEM", c.CAFile)
	}
	return t, nil
}

// shortAnswers cuts answers that are no object: the SDK reads them whole.
type shortAnswers struct{ next http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (s shortAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := s.next.RoundTrip(r)
	if err != nil || r.Method == http.MethodGet && resp.StatusCode == http.StatusOK {
		return resp, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	return resp, nil
}
