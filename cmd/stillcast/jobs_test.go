package main

import (
	"bytes"
	"errors"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long scripts wait for what takes a second at most on an idle machine.
const patience = 30 * time.Second

// job is a program in the background of a script.
type job struct {
	cmd    *exec.Cmd
	output transcript
	ended  chan struct{}
}

// transcript is what a job has printed.
type transcript struct {
	grown chan struct{} // holds a token when there may be more

	mu   sync.Mutex
	text []byte
	seen int // before it is what line returned
}

// Write implements io.Writer.
func (t *transcript) Write(b []byte) (int, error) {
	t.mu.Lock()
	t.text = append(t.text, b...)
	t.mu.Unlock()
	select {
	case t.grown <- struct{}{}:
	default:
	}
	return len(b), nil
}

// line returns each whole line once.
func (t *transcript) line() (line string, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	end := bytes.IndexByte(t.text[t.seen:], '\n')
	if end < 0 {
		return "", false
	}
	line = string(t.text[t.seen : t.seen+end])
	t.seen += end + 1
	return line, true
}

// String returns everything.
func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

type (
	jobsKey        struct{}
	environmentKey struct{}
)

func setUpJobs(env *testscript.Env) {
	env.Values[jobsKey{}] = map[string]*job{}
	env.Values[environmentKey{}] = slices.Clone(env.Vars)
}

func jobs(ts *testscript.TestScript) map[string]*job {
	return ts.Value(jobsKey{}).(map[string]*job) //nolint:forcetypeassert // setUpJobs put it there
}

// environment is that of the script, as far as it was there from its start.
func environment(ts *testscript.TestScript) []string {
	all := slices.Clone(ts.Value(environmentKey{}).([]string)) //nolint:forcetypeassert // setUpJobs put it there
	for i, pair := range all {
		name, _, _ := strings.Cut(pair, "=")
		all[i] = name + "=" + ts.Getenv(name)
	}
	return all
}

// findJob is the job that the first argument names.
func findJob(ts *testscript.TestScript, neg bool, args []string, usage string) *job {
	if neg || len(args) != len(strings.Fields(usage))-1 {
		ts.Fatalf("usage: %s", usage)
	}
	j := jobs(ts)[args[0]]
	if j == nil {
		ts.Fatalf("no job %s was started", args[0])
	}
	return j
}

// exits CODE PROGRAM [ARG…] runs a program and demands its exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG…]")
	}
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		failure, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		code = failure.ExitCode()
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// start NAME PROGRAM [ARG…] starts a program in the background.
func start(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || jobs(ts)[args[0]] != nil {
		ts.Fatalf("usage: start NEWNAME PROGRAM [ARG…]")
	}
	j := &job{cmd: exec.Command(args[1], args[2:]...), ended: make(chan struct{})}
	j.output.grown = make(chan struct{}, 1)
	j.cmd.Dir, j.cmd.Env = ts.MkAbs("."), environment(ts)
	j.cmd.Stdout, j.cmd.Stderr = &j.output, &j.output
	ts.Check(j.cmd.Start())
	jobs(ts)[args[0]] = j
	go func() {
		defer close(j.ended)
		_ = j.cmd.Wait() // finish looks at the exit code
	}()
	ts.Defer(func() {
		_ = j.cmd.Process.Kill() // most often it has ended
		<-j.ended
	})
}

// await NAME PATTERN waits for the next line of a job that matches. Named groups
// become variables of the script.
func await(ts *testscript.TestScript, neg bool, args []string) {
	j := findJob(ts, neg, args, "await NAME PATTERN")
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for last := false; ; {
		for line, ok := j.output.line(); ok; line, ok = j.output.line() {
			if match := pattern.FindStringSubmatch(line); match != nil {
				ts.Logf("%s", line)
				setGroups(ts, pattern, match)
				return
			}
		}
		if last {
			ts.Fatalf("%s ended without a line that matches %q:\n%s", args[0], args[1], &j.output)
		}
		select {
		case <-j.output.grown:
		case <-j.ended:
			last = true
		case <-timeout.C:
			ts.Fatalf("no line of %s matches %q after %s:\n%s", args[0], args[1], patience, &j.output)
		}
	}
}

func setGroups(ts *testscript.TestScript, pattern *regexp.Regexp, match []string) {
	for i, name := range pattern.SubexpNames() {
		if name != "" {
			ts.Setenv(name, match[i])
		}
	}
}

// signal NAME SIGNAL sends HUP, INT or TERM to a job.
func sendSignal(ts *testscript.TestScript, neg bool, args []string) {
	j := findJob(ts, neg, args, "signal NAME SIGNAL")
	signal, ok := map[string]syscall.Signal{"HUP": syscall.SIGHUP, "INT": syscall.SIGINT, "TERM": syscall.SIGTERM}[args[1]]
	if !ok {
		ts.Fatalf("signal %s is not HUP, INT or TERM", args[1])
	}
	ts.Check(j.cmd.Process.Signal(signal))
}

// finish NAME sends TERM to a job, waits for its end and demands the exit code 0.
func finish(ts *testscript.TestScript, neg bool, args []string) {
	j := findJob(ts, neg, args, "finish NAME")
	ts.Check(j.cmd.Process.Signal(syscall.SIGTERM))
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case <-j.ended:
	case <-timeout.C:
		ts.Fatalf("%s goes on %s after SIGTERM:\n%s", args[0], patience, &j.output)
	}
	if code := j.cmd.ProcessState.ExitCode(); code != 0 {
		ts.Fatalf("exit code %d of %s, want 0:\n%s", code, args[0], &j.output)
	}
	ts.Logf("[%s]\n%s", args[0], &j.output)
}
