package config

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/goccy/go-yaml"
)

// mask stands in the place of what is secret in a URL.
const mask = "<secret>"

// Masked returns the configuration as YAML to be shown to people: every setting
// as it is in force, without what is secret. Of URLs the query, which may hold a
// key, and the password are left out.
func (c *Config) Masked() ([]byte, error) {
	raw, err := yaml.Marshal(c) // a stillcast.Secret hides itself
	if err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	var settings yaml.MapSlice
	if err := yaml.UnmarshalWithOptions(raw, &settings, yaml.UseOrderedMap()); err != nil {
		return nil, fmt.Errorf("read what was written of the configuration: %w", err)
	}
	shown, err := yaml.MarshalWithOptions(maskURLs(settings), yaml.IndentSequence(true))
	if err != nil {
		return nil, fmt.Errorf("write the configuration without secrets: %w", err)
	}
	return shown, nil
}

// maskURLs returns a value as YAML has it, with its URLs masked.
func maskURLs(value any) any {
	switch v := value.(type) {
	case string:
		return maskURL(v)
	case []any:
		for i := range v {
			v[i] = maskURLs(v[i])
		}
	case yaml.MapSlice:
		for i := range v {
			v[i].Value = maskURLs(v[i].Value)
		}
	}
	return value
}

func maskURL(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return text
	}
	if u.RawQuery == "" && u.User == nil && u.Fragment == "" {
		return text // as it was written
	}
	bare := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	text = bare.String()
	if u.User != nil {
		scheme, rest, _ := strings.Cut(text, "//")
		text = scheme + "//" + mask + "@" + rest
	}
	if u.RawQuery != "" {
		text += "?" + mask
	}
	return text
}
