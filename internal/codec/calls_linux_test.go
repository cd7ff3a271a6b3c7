//go:build !asan

package codec

import (
	"slices"
	"testing"

	"github.com/elastic/go-seccomp-bpf/arch"
)

// Processors name system calls each in their own way; a name that one does not have would keep workers from starting there.
func TestCallsAreKnownOnEachProcessor(t *testing.T) {
	t.Parallel()
	for _, processor := range []*arch.Info{arch.X86_64, arch.AARCH64} {
		names := slices.Clone(allowedCalls)
		for _, rule := range callRules() {
			if !slices.Contains(allowedCalls, rule.Name) {
				t.Errorf("there is a rule for %s, which is not allowed at all", rule.Name)
			}
		}
		for _, name := range append(names, "openat", "clone3") {
			if _, known := processor.SyscallNames[name]; !known {
				t.Errorf("%s does not know %s", processor.Name, name)
			}
		}
	}
}
