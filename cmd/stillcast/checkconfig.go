package main

import (
	"fmt"

	"github.com/stillcast/stillcast/internal/config"
)

type checkConfigCommand struct {
	Config string `arg:"" optional:"" default:"${default_config}" help:"Configuration file."`
}

// Run reports every fault of the file.
func (c checkConfigCommand) Run(o output) error {
	if _, err := config.Load(c.Config); err != nil {
		return err
	}
	_, err := fmt.Fprintf(o.out, "%s is valid\n", c.Config)
	return err
}
