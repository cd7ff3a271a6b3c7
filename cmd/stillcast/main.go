// Command stillcast takes screenshots of live streams at a set interval, stores
// them and reports each by a signed callback.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set by the build (-ldflags "-X main.version=…").
var version = "0.1.0-dev" //nolint:gochecknoglobals // the linker can set nothing else

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// cli is the command line. Kong reads the tags.
type cli struct {
	Serve       serveCommand       `cmd:"" help:"Run the server: take pushes, capture, store, send events."`
	Demo        demoCommand        `cmd:"" help:"Show it all at work: a server, three pushed streams, and a receiver that checks every event."`
	Listen      listenCommand      `cmd:"" help:"Receive events, for developers: verify, print and optionally save the pictures."`
	Push        pushCommand        `cmd:"" help:"Push an FLV file in real time."`
	SignPushURL signPushURLCommand `cmd:"" name:"sign-push-url" help:"Sign a push URL with a domain's key (txSecret, txTime)."`
	CheckConfig checkConfigCommand `cmd:"" help:"Check a configuration file and say in which line each fault is."`
	Version     versionCommand     `cmd:"" help:"Print the version."`
	CodecWorker codecWorkerCommand `cmd:"" hidden:"" help:"Decode pictures for a server (started by serve)."`
}

// output is where commands write for people and for other programs.
type output struct {
	out io.Writer // results
	err io.Writer // logs and errors
}

const description = `Stillcast takes a screenshot of every live stream at a set interval, stores the
picture and POSTs a signed event about it to your server.

To begin: "stillcast demo" shows it at work, "stillcast serve" runs it.`

// run is main with its surroundings as arguments; it returns the exit code.
func run(args []string, out, errOut io.Writer) int {
	exit, exited := 0, false
	var c cli
	parser, err := kong.New(&c,
		kong.Name("stillcast"), kong.Description(description), kong.UsageOnError(),
		kong.Writers(out, errOut), kong.Vars{"default_config": defaultConfig}, kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(code int) { exit, exited = code, true }),
	)
	if err != nil {
		fmt.Fprintln(errOut, "stillcast:", err)
		return 2
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if exited { // --help was answered
		return exit
	}
	if err != nil {
		parser.FatalIfErrorf(err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	command.BindTo(ctx, (*context.Context)(nil))
	if err := command.Run(output{out: out, err: errOut}); err != nil {
		if !errors.Is(err, errReported) {
			fmt.Fprintln(errOut, "stillcast:", err)
		}
		return 1
	}
	return 0
}

// errReported is returned by a command that has told what went wrong.
var errReported = errors.New("reported")

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(o output) error {
	_, err := fmt.Fprintln(o.out, "stillcast", version)
	return err
}
