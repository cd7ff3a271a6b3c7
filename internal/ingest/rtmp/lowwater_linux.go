package rtmp

import (
	"os"
	"syscall"
)

// setLowWater makes reading wait until n bytes are there, or the end. What is
// there is read without waiting all the same (socket(7), SO_RCVLOWAT).
func setLowWater(fd uintptr, n int) error {
	return os.NewSyscallError("setsockopt", syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVLOWAT, n)) //nolint:gosec // a file descriptor
}
