//go:build !linux

package codec

import "os/exec"

func startWorker(cmd *exec.Cmd) error { return cmd.Start() }
