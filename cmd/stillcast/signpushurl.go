package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/config"
	"github.com/stillcast/stillcast/internal/ingest"
)

type signPushURLCommand struct {
	URL    string        `arg:"" help:"Push URL to sign: rtmp://DOMAIN/APP/STREAM. A query in it is kept, but for an older signature."`
	Key    string        `env:"STILLCAST_PUSH_KEY" placeholder:"KEY" help:"Push key of the domain. Without it, the key is taken from the configuration file."`
	Config string        `default:"${default_config}" help:"Configuration file to find the domain's key in."`
	Valid  time.Duration `default:"24h" help:"How long a push may begin with the URL."`
}

// Help is the end of the command's help.
func (signPushURLCommand) Help() string {
	return "A publisher pushes to what this prints. A program of yours can make the same by itself: " +
		"txTime is the end in Unix time, in upper-case hexadecimal; txSecret = md5hex(KEY + STREAM + txTime)."
}

// Run prints the signed URL and nothing else.
func (c signPushURLCommand) Run(o output) error {
	if c.Valid <= 0 {
		return fmt.Errorf("--valid is %s; it must be more than 0s", c.Valid)
	}
	base, stream, err := splitPushURL(c.URL)
	if err != nil {
		return err
	}
	key := stillcast.Secret(c.Key)
	if key == "" {
		if key, err = c.keyOf(stream.Stream.Domain); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintln(o.out, base+"?"+ingest.SignedParam(key, stream, time.Now().Add(c.Valid)))
	return err
}

func (c signPushURLCommand) keyOf(host string) (stillcast.Secret, error) {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return "", fmt.Errorf("find the key of %s (or give --key): %w", host, err)
	}
	domain, ok := stillcast.NewResources(stillcast.ResourceSet{Domains: cfg.Resources.Declaration().Domains}).Domain(host)
	if !ok {
		return "", fmt.Errorf("%s: no domain %s and no domain \"*\" under resources.domains; add it or give --key", c.Config, host)
	}
	if domain.Auth.Key == "" {
		return "", fmt.Errorf("%s: the domain %s has no key: pushes to it need none", c.Config, domain.Name)
	}
	return domain.Auth.Key, nil
}

const pushScheme = "rtmp://"

// splitPushURL takes rtmp://DOMAIN/APP/STREAM?QUERY apart as the server would,
// and returns the URL without its query too.
func splitPushURL(raw string) (base string, u ingest.PushURL, err error) {
	if len(raw) < len(pushScheme) || !strings.EqualFold(raw[:len(pushScheme)], pushScheme) {
		base, _, _ := strings.Cut(raw, "?")
		return "", u, stillcast.Errorf(stillcast.CodeInvalid, "push URL", "%q is not rtmp://DOMAIN/APP/STREAM", base)
	}
	return ingest.SplitPushURL(raw)
}
