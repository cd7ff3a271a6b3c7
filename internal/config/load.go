package config

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/config/strictyaml"
)

// Load reads the configuration from a file.
func Load(path string) (*Config, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	return Parse(path, data)
}

// Parse reads the configuration from data; name is that of the file, for
// messages. The error joins all faults that were found, each as
// "NAME:LINE: SETTING: what is wrong and what is allowed". Each is a
// [stillcast.Error] whose Field is the setting.
func Parse(name string, data []byte) (*Config, error) {
	c := Default()
	doc, err := strictyaml.Decode(name, data, &c)
	if err != nil {
		return nil, err
	}
	faults := c.Validate()
	for i, err := range faults {
		faults[i] = doc.Locate(err)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return &c, nil
}

//go:embed stillcast.yaml
var sample []byte

// resourcesLine begins the last section of the sample.
const resourcesLine = "\nresources:\n"

// Sample returns the sample file, which holds every setting with its default.
func Sample() []byte { return bytes.Clone(sample) }

const firstRunResources = `
# Made on the first start: whoever has the key may push any stream, to any host
# name that leads here, and gets a picture every 10 seconds.
resources:
  domains:
    - name: "*"
      auth:
        key: %s
  snapshot_templates:
    - name: every10s
      interval: 10s
  snapshot_rules:
    - domain: "*"
      app: ""
      template: every10s
  callback_templates: []
  callback_rules: []
`

// FirstRun returns the file for a first start: the sample, with resources that
// let streams be pushed with pushKey and take a picture of each every ten
// seconds.
func FirstRun(pushKey stillcast.Secret) []byte {
	settings, _, _ := bytes.Cut(sample, []byte(resourcesLine))
	return fmt.Appendf(bytes.Clone(settings), "\n"+firstRunResources[1:], strconv.Quote(pushKey.Reveal()))
}
