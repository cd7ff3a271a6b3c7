package rtmp

import (
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/stillcast/stillcast"
)

// certificateCheck is how often it is looked whether the files have changed.
const certificateCheck = time.Second

// certificate is the certificate of RTMPS, from two files that may be replaced
// while the server runs. New connections get the new one; where that cannot be
// read, the one before stays in use.
type certificate struct {
	files TLS
	log   *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	stamps  [2]stamp
	checked time.Time
}

// stamp tells whether a file was changed.
type stamp struct {
	at   time.Time
	size int64
	err  string
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{err: err.Error()}
	}
	return stamp{at: info.ModTime(), size: info.Size()}
}

func (c *certificate) stampsNow() [2]stamp {
	return [2]stamp{stampOf(c.files.Certificate), stampOf(c.files.Key)}
}

// openCertificate reads the certificate. Its errors name the setting.
func openCertificate(files TLS, log *slog.Logger) (*certificate, error) {
	c := &certificate{files: files, log: log, checked: time.Now()}
	c.stamps = c.stampsNow()
	pair, err := tls.LoadX509KeyPair(files.Certificate, files.Key)
	if err != nil {
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "ingest.rtmp.tls", "certificate %q with key %q cannot be used: %v", files.Certificate, files.Key, err)
	}
	c.current = &pair
	return c, nil
}

// get returns the certificate for a new connection.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.checked) >= certificateCheck {
		c.checked = now
		c.reload()
	}
	return c.current, nil
}

// reload reads the files if they have changed. c.mu is held.
func (c *certificate) reload() {
	stamps := c.stampsNow()
	if stamps == c.stamps {
		return
	}
	c.stamps = stamps // a faulty one is logged once
	pair, err := tls.LoadX509KeyPair(c.files.Certificate, c.files.Key)
	if err != nil {
		c.log.Error("new certificate of RTMPS cannot be used; the one before stays in use",
			slog.String("certificate", c.files.Certificate), slog.String("key", c.files.Key), slog.Any("error", err))
		return
	}
	c.current = &pair
	c.log.Info("new certificate of RTMPS is in use", slog.String("certificate", c.files.Certificate),
		slog.Time("not_after", pair.Leaf.NotAfter))
}

// config returns the settings of TLS: version 1.2 and up, with Go's choice of
// ciphers.
func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}
}
