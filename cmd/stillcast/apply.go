package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/stillcast/stillcast/internal/api/resource"
	"github.com/stillcast/stillcast/internal/config"
)

type applyCommand struct {
	File   string `short:"f" required:"" placeholder:"FILE" help:"File with resources, in the form of ${default_config}; - reads standard input."`
	DryRun bool   `name:"dry-run" help:"Say what would be changed, and change nothing."`
	Prune  bool   `help:"Delete what the server has and the file does not."`

	apiFlags
}

// Help is the end of the command's help.
func (applyCommand) Help() string {
	return "Each change is one line. Changes act on live streams within a second. What the file does not name stays as it is, without --prune; " +
		"applying a file again changes nothing. Settings other than resources are not looked at."
}

// Run changes the server so that it is as the file says.
func (c applyCommand) Run(ctx context.Context, o output) error {
	file, err := c.load()
	if err != nil {
		return err
	}
	server, err := c.client()
	if err != nil {
		return err
	}
	now, err := resource.Read(ctx, server)
	if err != nil {
		return err
	}
	changes, err := resource.Plan(now, file.Resources.Declaration(), c.Prune)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	if len(changes) == 0 {
		fmt.Fprintln(o.out, "nothing to change")
		return nil
	}
	if c.DryRun {
		for _, change := range changes {
			fmt.Fprintln(o.out, "would", string(change.Verb), described(change))
		}
		return nil
	}
	return resource.Apply(ctx, server, now, changes, func(change resource.Change) {
		fmt.Fprintln(o.out, string(change.Verb)+"d", described(change)) // created, updated, deleted
	})
}

func (c applyCommand) load() (*config.Config, error) {
	if c.File != "-" {
		return config.Load(c.File)
	}
	data, err := io.ReadAll(os.Stdin)
	if err != nil {
		return nil, fmt.Errorf("read standard input: %w", err)
	}
	return config.Parse("standard input", data)
}

func described(c resource.Change) string {
	text := c.Kind + " " + c.Name
	if len(c.Details) > 0 {
		text += ": " + strings.Join(c.Details, ", ")
	}
	return text
}
