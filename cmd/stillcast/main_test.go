package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"github.com/stillcast/stillcast/internal/testkit"
	"github.com/stillcast/stillcast/internal/testkit/lossfs"
)

var update = flag.Bool("update", false, "write what the program says into the scripts that compare it as a whole")

// noExitDelay keeps the race detector from waiting a second at the end of each process.
const noExitDelay = "atexit_sleep_ms=0"

// The test binary is also the program: by its name in scripts, and by its
// argument when a server under test starts its codec workers.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == worker().Args[0] {
		main()
	}
	if asked, code := lossfs.Serve(); asked {
		os.Exit(code)
	}
	testscript.Main(leakChecked{m}, map[string]func(){"stillcast": main, "peer": peer, "lockdb": lockDatabase})
}

// leakChecked is goleak.VerifyTestMain for testscript.Main, which ends the process itself.
type leakChecked struct{ tests testscript.TestingM }

// Run implements testscript.TestingM.
func (l leakChecked) Run() int {
	code := l.tests.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// makeClip makes the video that the tests push: one second, long enough for the first shot.
func makeClip(t *testing.T) string {
	t.Helper()
	return testkit.MakeFile(t, "flv", testkit.Source{Width: 320, Height: 180, Rate: 25},
		testkit.Encoding{KeyFrames: time.Second, Duration: time.Second, Audio: true})
}

// programFolder holds nothing but the program.
func programFolder() (string, error) {
	path, err := exec.LookPath("stillcast")
	return filepath.Dir(path), err
}

// TestScripts runs testdata/script, which is also a manual of the program.
func TestScripts(t *testing.T) {
	clip := makeClip(t)
	bin, err := programFolder()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", noExitDelay)
			env.Setenv("BIN", bin)
			setUpJobs(env)
			return os.Symlink(clip, filepath.Join(env.WorkDir, "video.flv"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":  exits,
			"start":  start,
			"await":  await,
			"signal": sendSignal,
			"finish": finish,
		},
	})
}
