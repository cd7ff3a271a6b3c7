package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/stillcast/stillcast/internal/config"
)

type checkConfigCommand struct {
	Config   string `arg:"" optional:"" name:"file" default:"${default_config}" help:"Configuration file; ${default_config} if none is named."`
	Defaults bool   `help:"Print a file that holds every setting with its default, instead of checking one."`
}

// Help is the end of the command's help.
func (checkConfigCommand) Help() string {
	return "Each fault is one line FILE:LINE: SETTING: what is wrong and what is allowed."
}

// Run reports every fault of the file.
func (c checkConfigCommand) Run(o output) error {
	if c.Defaults {
		_, err := o.out.Write(config.Sample())
		return err
	}
	_, err := config.Load(c.Config)
	if unread := (*fs.PathError)(nil); errors.As(err, &unread) {
		return err
	}
	if err != nil {
		fmt.Fprintln(o.err, err) // as it is, so that editors find file and line
		return errReported
	}
	_, err = fmt.Fprintf(o.out, "%s is valid\n", c.Config)
	return err
}
