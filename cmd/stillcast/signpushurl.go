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
	URL    string        `arg:"" help:"Push URL to sign: rtmp://DOMAIN/APP/STREAM. A query in it is kept."`
	Key    string        `env:"STILLCAST_PUSH_KEY" help:"Push key of the domain. Without it, the key is taken from the configuration file."`
	Config string        `default:"${default_config}" placeholder:"FILE" help:"Configuration file to find the domain's key in."`
	Valid  time.Duration `default:"24h" help:"How long a push may begin with the URL."`
}

// Run prints the signed URL and nothing else.
func (c signPushURLCommand) Run(o output) error {
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
	_, err = fmt.Fprintln(o.out, base+"?"+signedParam(key, stream, time.Now().Add(c.Valid)))
	return err
}

func signedParam(key stillcast.Secret, u ingest.PushURL, expiry time.Time) string {
	param := stillcast.PushParam(key, u.Stream.Name, expiry)
	if u.Param != "" {
		param += "&" + u.Param
	}
	return param
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

// splitPushURL takes rtmp://DOMAIN/APP/STREAM?QUERY apart as the server would,
// and returns the URL without its query too.
func splitPushURL(raw string) (base string, u ingest.PushURL, err error) {
	base, query, _ := strings.Cut(raw, "?")
	end := strings.LastIndex(base, "/")
	scheme, rest, ok := strings.Cut(base, "://")
	if !ok || scheme != "rtmp" || strings.Count(rest, "/") < 2 {
		return "", u, stillcast.Errorf(stillcast.CodeInvalid, "push URL", "%q is not rtmp://DOMAIN/APP/STREAM", raw)
	}
	_, app, _ := strings.Cut(base[len("rtmp://"):end], "/")
	name := base[end+1:]
	if query != "" {
		name += "?" + query
	}
	u, err = ingest.ParsePushURL(base[:end], app, name)
	return base, u, err
}
