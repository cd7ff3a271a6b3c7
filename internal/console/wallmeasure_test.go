package console

import (
	"fmt"
	"os"
	"testing"
	"time"
)

func TestZZServe(t *testing.T) {
	if os.Getenv("ZZ") == "" {
		return
	}
	r, w, _ := newWallRig(t)
	simulate(t, w, 500, 10*time.Second)
	w.look()
	idle := time.NewTimer(10 * time.Second)
	c := processorTime(t)
	<-idle.C
	fmt.Println("idle cpu share", (processorTime(t) - c).Seconds()/10)
	fmt.Println("URL", r.server.URL, r.viewer)
	for i := 0; ; i++ {
		c := processorTime(t)
		tick := time.NewTimer(10 * time.Second)
		<-tick.C
		fmt.Printf("cpu %.3f of a core\n", (processorTime(t) - c).Seconds()/10)
		if _, err := os.Stat("/tmp/w/wall/stop"); err == nil {
			return
		}
	}
}
