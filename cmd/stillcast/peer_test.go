package main

import (
	"fmt"
	"net"
	"os"

	"github.com/bluenviron/gortmplib"
)

// peer is a server of other people that scripts compare with: peer HOST:PORT.
func peer() {
	l, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go func() {
			defer c.Close()
			sc := &gortmplib.ServerConn{RW: c}
			if sc.Initialize() != nil || sc.Accept() != nil {
				return
			}
			for {
				if _, err := sc.Read(); err != nil {
					return
				}
			}
		}()
	}
}
