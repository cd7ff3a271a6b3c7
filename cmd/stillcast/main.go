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
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set by the build (-ldflags "-X main.version=…").
var version = "0.1.0-dev"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// cli is the command line. Kong reads the tags.
type cli struct {
	Serve       serveCommand       `cmd:"" help:"Run the server: take pushes, capture, store, send events."`
	Demo        demoCommand        `cmd:"" help:"Show it all at work: a server, three pushed streams, and a receiver that checks every event."`
	Listen      listenCommand      `cmd:"" help:"Receive events, for developers: verify, print and optionally save the pictures."`
	Push        pushCommand        `cmd:"" help:"Push an FLV file in real time."`
	SignPushURL signPushURLCommand `cmd:"" name:"sign-push-url" help:"Sign a push URL with a domain's key (txSecret, txTime)."`
	CheckConfig checkConfigCommand `cmd:"" help:"Check a configuration file and say in which line each fault is."`
	Apply       applyCommand       `cmd:"" help:"Set up a running server as a file says: domains, templates and rules."`
	Get         getCommand         `cmd:"" help:"Print what a running server is set up with."`
	Deliveries  deliveriesCommand  `cmd:"" help:"See what became of events, and send them again."`
	Shots       shotsCommand       `cmd:"" help:"See what was taken."`
	Console     consoleCommand     `cmd:"" help:"Help who cannot log in to the console."`
	Bench       benchCommand       `cmd:"" help:"Measure this machine."`
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

// errReported is returned by a command that has told what went wrong.
var errReported = errors.New("reported")

// run is main with its surroundings as arguments. It returns the exit code: 0,
// 1 when the command failed, 2 when it was called wrongly.
func run(args []string, out, errOut io.Writer) int {
	exit, exited := 0, false
	var c cli
	parser, err := kong.New(&c,
		kong.Name("stillcast"), kong.Description(description),
		kong.Writers(out, errOut), kong.Vars{"default_config": defaultConfig}, kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(code int) { exit, exited = code, true }),
	)
	if err != nil {
		complain(errOut, err)
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
		explainUse(parser, err, errOut)
		complain(errOut, err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal does not wait for the command to end well
	command.BindTo(ctx, (*context.Context)(nil))
	if err := command.Run(output{out: out, err: errOut}); err != nil {
		complain(errOut, err)
		return 1
	}
	return 0
}

// explainUse prints how the command that was called is used. It goes where
// errors go: a script that takes the output for a result must not get it.
func explainUse(parser *kong.Kong, err error, errOut io.Writer) {
	wrong, ok := errors.AsType[*kong.ParseError](err)
	if !ok {
		return
	}
	parser.Stdout = errOut
	if wrong.Context.PrintUsage(true) == nil {
		fmt.Fprintln(errOut)
	}
}

// complain prints an error, each line of it with the program's name.
func complain(errOut io.Writer, err error) {
	if errors.Is(err, errReported) {
		return
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintln(errOut, "stillcast:", strings.TrimRight(line, "\n"))
	}
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(o output) error {
	_, err := fmt.Fprintln(o.out, "stillcast", version)
	return err
}
