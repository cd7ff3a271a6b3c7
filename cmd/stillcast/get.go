package main

import (
	"context"

	"github.com/stillcast/stillcast/internal/api/resource"
)

type getCommand struct {
	Kind   string `arg:"" enum:"all,domains,snapshot-templates,snapshot-rules,callback-templates,callback-rules" help:"all, domains, snapshot-templates, snapshot-rules, callback-templates or callback-rules."`
	Output string `short:"o" default:"yaml" enum:"yaml,json" help:"yaml or json."`

	apiFlags
}

// Help is the end of the command's help.
func (getCommand) Help() string {
	return "What is printed is a configuration file, which apply takes. Keys are in plain text in it."
}

// Run prints what the server is set up with.
func (c getCommand) Run(ctx context.Context, o output) error {
	server, err := c.client()
	if err != nil {
		return err
	}
	set, err := resource.Read(ctx, server)
	if err != nil {
		return err
	}
	doc := resource.NewDocument(set, resource.Kind(c.Kind))
	write := doc.YAML
	if c.Output == "json" {
		write = doc.JSON
	}
	text, err := write()
	if err != nil {
		return err
	}
	_, err = o.out.Write(text)
	return err
}
