package sdktest

import (
	_ "embed"
	"os/exec"
	"testing"

	"github.com/stillcast/stillcast/internal/testkit"
)

//go:embed node/drive.mjs
var nodeScript string

//go:embed node/package-lock.json
var nodeLock []byte

// Node drives a server with the client for Node.js, as [Go] does with that for Go.
func Node(t *testing.T, s Server) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", "--input-type=module", "--eval", nodeScript, s.Host, s.ID, s.Key)
	cmd.Dir = testkit.NPMFolder(t, "tencentcloud", nodeLock)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("the client for Node.js: %v\n%s", err, said)
	}
}
