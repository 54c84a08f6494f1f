# SPDX-License-Identifier: MIT
"""The programs. Each is a shell script that may use $GOOD (a port with an HTTP server), $BAD (a
closed port), $PORT and $PORT2 (free ones) and its own folder, which is the current one."""
import collections

Program = collections.namedtuple("Program", "name kind needs script preload", defaults=("", None))

WAIT = 'up() { for _ in $(seq 200); do "$@" >/dev/null 2>&1 && return; sleep 0.05; done; echo never up; }; '
BOTH = "http://127.0.0.1:$GOOD/ http://127.0.0.1:$BAD/"

JAVA_BLOCKING = """cat > C.java <<'X'
import java.net.*;
class C { public static void main(String[] a) throws Exception {
  for (String p : a) { try (Socket s = new Socket("127.0.0.1", Integer.parseInt(p))) { System.out.println("connected"); }
    catch (ConnectException e) { System.out.println(e.getMessage()); } } } }
X
java -Xint -XX:TieredStopAtLevel=1 C.java $GOOD $BAD"""
JAVA_NIO = """cat > N.java <<'X'
import java.net.*; import java.nio.channels.*;
class N { public static void main(String[] a) throws Exception {
  for (String p : a) { Selector s = Selector.open(); SocketChannel c = SocketChannel.open(); c.configureBlocking(false);
    c.register(s, SelectionKey.OP_CONNECT); c.connect(new InetSocketAddress("127.0.0.1", Integer.parseInt(p)));
    s.select(5000); try { System.out.println(c.finishConnect()); } catch (ConnectException e) { System.out.println(e.getMessage()); }
    c.close(); s.close(); } } }
X
java -Xint -XX:TieredStopAtLevel=1 N.java $GOOD $BAD"""
GO_CGO = """cat > c.go <<'X'
package main
// #include <netdb.h>
import "C"
import ("fmt"; "net"; "os")
func main() { for _, p := range os.Args[1:] { c, e := net.Dial("tcp", "localhost:"+p); if e == nil { c.Close() }; fmt.Println(e == nil) } }
X
export HOME=$PWD GOFLAGS=-mod=mod GO111MODULE=off; LD_PRELOAD= go build -o c c.go && ./c $GOOD $BAD"""
ASYNCIO = """python3 -c '
import asyncio, sys
async def one(p):
    try:
        r, w = await asyncio.open_connection("127.0.0.1", int(p)); w.close(); return "connected"
    except OSError as e: return e.errno
async def all(): print(await asyncio.gather(*[one(p) for p in sys.argv[1:] * 10]))
asyncio.run(all())' $GOOD $BAD"""
THREADS = """python3 -c '
import socket, sys, threading
out = [None] * 20
def one(i, p):
    s = socket.socket(); s.settimeout(5)
    out[i] = s.connect_ex(("127.0.0.1", int(p))); s.close()
t = [threading.Thread(target=one, args=(i, sys.argv[1 + i % 2])) for i in range(20)]
[x.start() for x in t]; [x.join() for x in t]; print(out)' $GOOD $BAD"""
TWICE_FORKED = """python3 -c '
import os, socket, sys
r, w = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork(): os._exit(0)
    os.dup2(w, 3); os.closerange(4, 4096); os.chdir("/")
    for fd in (0, 1, 2): os.close(fd)
    numbers = [os.open("/dev/null", os.O_RDWR) for _ in range(3)]
    s = socket.socket()
    os.write(3, repr((numbers, s.fileno(), s.connect_ex(("127.0.0.1", int(sys.argv[1]))))).encode())
    os._exit(0)
os.close(w)
while (data := os.read(r, 100)): print(data)' $BAD"""
CHROOTED = """unshare -Ur python3 -c '
import os, socket, sys
os.mkdir("jail"); os.chroot("jail"); os.chdir("/")
s = socket.socket(); print(s.fileno(), s.connect_ex(("127.0.0.1", int(sys.argv[1]))), os.listdir("/"))' $BAD"""
DROPPED = """python3 -c '
import os, socket, sys
os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
s = socket.socket(); print(s.connect_ex(("127.0.0.1", int(sys.argv[1]))), os.getresuid())' $BAD"""

NGINX = WAIT + """mkdir -p logs html; echo hello > html/index.html
cat > n.conf <<X
daemon on; master_process on; worker_processes 2; pid $PWD/pid; error_log $PWD/logs/e notice; user root;
events {} http { access_log $PWD/logs/a; server { listen 127.0.0.1:$PORT; root $PWD/html;
location /good { proxy_pass http://127.0.0.1:$GOOD/; } location /bad { proxy_pass http://127.0.0.1:$BAD/; } } }
X
nginx -p $PWD -c $PWD/n.conf; up curl -s http://127.0.0.1:$PORT/
for path in / /good /bad; do curl -s -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:$PORT$path; done
nginx -p $PWD -c $PWD/n.conf -s quit; while [ -e pid ]; do sleep 0.02; done; grep -c refused logs/e"""
REDIS = WAIT + """redis-server --port $PORT --bind 127.0.0.1 --daemonize yes --save '' --dir $PWD --logfile $PWD/l >/dev/null
up redis-cli -p $PORT ping; redis-cli -p $PORT set a b; redis-cli -p $PORT get a
redis-cli -p $PORT replicaof 127.0.0.1 $BAD; redis-cli -p $PORT replicaof no one; redis-cli -p $PORT shutdown nosave; redis-cli -p $BAD ping"""
POSTGRES = WAIT + """bin=$(ls -d /usr/lib/postgresql/*/bin); chmod 777 .
as() { if [ $(id -u) = 0 ]; then setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; else "$@"; fi; }
as $bin/initdb -D $PWD/d -A trust -U u >/dev/null && as $bin/pg_ctl -D $PWD/d -o "-p $PORT -k $PWD -h 127.0.0.1" -l $PWD/l -w start >/dev/null
psql -h 127.0.0.1 -p $PORT -U u -Atc 'select 6*7' postgres; as $bin/pg_ctl -D $PWD/d -m fast -w stop >/dev/null
psql -h 127.0.0.1 -p $BAD -U u -Atc 'select 1' postgres 2>&1 | grep -c refused"""
SSHD = WAIT + """mkdir -p /run/sshd; ssh-keygen -q -t ed25519 -N '' -f host; ssh-keygen -q -t ed25519 -N '' -f user
$(command -v sshd || echo /usr/sbin/sshd) -f /dev/null -h $PWD/host -p $PORT -o ListenAddress=127.0.0.1 -o StrictModes=no -o PidFile=$PWD/pid -o UsePAM=no -o PermitRootLogin=yes -o AuthorizedKeysFile=$PWD/user.pub -E $PWD/l
o="-F none -i user -p $PORT -o UserKnownHostsFile=$PWD/known -o StrictHostKeyChecking=no -o LogLevel=ERROR -o BatchMode=yes"
up nc -z 127.0.0.1 $PORT; ssh $o 127.0.0.1 echo through
ssh $o -M -S $PWD/mux -f -N 127.0.0.1; ssh $o -S $PWD/mux 127.0.0.1 'echo by the master'; ssh $o -S $PWD/mux -O exit 127.0.0.1 2>&1
ssh $o -p $BAD 127.0.0.1 true 2>&1 | grep -c refused; kill $(cat pid)"""
DNSMASQ = WAIT + """dnsmasq -C /dev/null -p $PORT -a 127.0.0.1 -z -I '' -R -x $PWD/pid -A /name.test/192.0.2.7 -u root -h
up dig @127.0.0.1 -p $PORT +short +tries=1 name.test; dig @127.0.0.1 -p $PORT +short name.test; dig @127.0.0.1 -p $PORT +tcp +short name.test; kill $(cat pid)"""
HAPROXY = WAIT + """cat > h.cfg <<X
global
  pidfile $PWD/pid
defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
  retries 0
frontend f
  bind 127.0.0.1:$PORT
  use_backend bad if { path /bad }
  default_backend good
backend good
  server s 127.0.0.1:$GOOD
backend bad
  server s 127.0.0.1:$BAD
X
haproxy -D -f h.cfg 2>/dev/null; up curl -s http://127.0.0.1:$PORT/
for path in / /bad; do curl -s -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:$PORT$path; done; kill $(cat pid)"""
TMUX = """export TERM=xterm; tmux -f /dev/null -L t$PORT new-session -d "curl -s http://127.0.0.1:$GOOD/ > out; curl -s http://127.0.0.1:$BAD/; echo \\$? >> out; tmux -L t$PORT wait-for -S done"
tmux -L t$PORT wait-for done; cat out; tmux -L t$PORT kill-server 2>/dev/null; :"""
SHELL_JOBS = """%s -c 'for i in 1 2 3; do (curl -s -o /dev/null http://127.0.0.1:$GOOD/; echo $?) & wait; done; exec 7>f; echo x >&7; echo $(curl -s http://127.0.0.1:$BAD/ || echo failed) | cat; exec 7>&-; cat f'"""
SANITIZED = """cat > s.c <<'X'
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <errno.h>
int main(int c, char **v) { for (int i = 1; i < c; i++) { struct sockaddr_in a = {AF_INET, htons(atoi(v[i])), {htonl(INADDR_LOOPBACK)}};
  int r = connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&a, sizeof a); printf("%%d %%d\\n", r, r ? errno : 0); } return 0; }
X
p=$LD_PRELOAD; unset LD_PRELOAD; gcc -fsanitize=%s -o s s.c || exit 9; r=$(gcc -print-file-name=lib%s.so):
LD_PRELOAD=$r$p ASAN_OPTIONS=detect_leaks=0 ./s $GOOD $BAD"""
SANITIZED_SECOND = SANITIZED.replace("=$r$p", "=$p").replace("leaks=0", "leaks=0:verify_asan_link_order=0")

LIB = "/usr/lib/x86_64-linux-gnu/"
PRELOADS = [("jemalloc", LIB + "libjemalloc.so.2"), ("tcmalloc", LIB + "libtcmalloc_minimal.so.4"),
            ("mimalloc", LIB + "libmimalloc.so.2.0"), ("eatmydata", LIB + "libeatmydata.so"),
            ("faketime", LIB + "faketime/libfaketime.so.1"), ("fakeroot", LIB + "libfakeroot/libfakeroot-sysv.so"),
            ("proxychains4", "/usr/lib/x86_64-linux-gnu/libproxychains.so.4"),
            ("torsocks", LIB + "torsocks/libtorsocks.so")]
UNDER_PRELOAD = """printf 'localnet 127.0.0.0/255.0.0.0\\nquiet_mode\\n[ProxyList]\\nsocks5 127.0.0.1 1\\n' > p.conf
printf 'AllowOutboundLocalhost 1\\n' > t.conf
export PROXYCHAINS_CONF_FILE=$PWD/p.conf PROXYCHAINS_QUIET_MODE=1 TORSOCKS_CONF_FILE=$PWD/t.conf TORSOCKS_LOG_LEVEL=1
curl -s -w '%{errormsg}\\n' """ + BOTH + "; python3 -c 'import socket, os; s = socket.socket(); print(s.connect_ex((\"127.0.0.1\", int(os.environ[\"BAD\"]))))'"

PROGRAMS = [
    Program("curl", "client", "curl", "curl -s -w '%{http_code} %{errormsg}\\n' " + BOTH),
    Program("curl, ten at once", "client", "curl", "curl -s -Z --parallel-max 10 http://127.0.0.1:$GOOD/[1-10] | sort"),
    Program("wget", "client", "wget", "wget -q -O - -t 1 http://127.0.0.1:$GOOD/; wget -nv -O - -t 1 http://127.0.0.1:$BAD/"),
    Program("nc", "client", "nc", "nc -vz 127.0.0.1 $GOOD; nc -vz 127.0.0.1 $BAD; nc -vz -w 1 127.0.0.1 $BAD"),
    Program("telnet", "client", "telnet", "telnet 127.0.0.1 $BAD"),
    Program("socat", "client", "socat", "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | socat - TCP:127.0.0.1:$GOOD | tail -1; socat - TCP:127.0.0.1:$BAD"),
    Program("bash /dev/tcp", "client", "bash", "bash -c 'exec 5<>/dev/tcp/127.0.0.1/$GOOD && echo yes; exec 6<>/dev/tcp/127.0.0.1/$BAD || echo no'"),
    Program("ksh /dev/tcp", "client", "ksh", "ksh -c '(: </dev/tcp/127.0.0.1/$BAD) 2>/dev/null || echo no; (: </dev/tcp/127.0.0.1/$GOOD) && echo yes'"),
    Program("zsh ztcp", "client", "zsh", "zsh -fc 'zmodload zsh/net/tcp; ztcp 127.0.0.1 $GOOD && echo $REPLY; ztcp 127.0.0.1 $BAD || echo no'"),
    Program("busybox wget, nc", "client", "busybox", "busybox wget -q -O - http://127.0.0.1:$GOOD/; busybox wget -q -O - http://127.0.0.1:$BAD/; busybox nc 127.0.0.1 $BAD </dev/null"),
    Program("lftp", "client", "lftp", "HOME=$PWD lftp -c 'set net:max-retries 1; cat http://127.0.0.1:'$GOOD'/; cat http://127.0.0.1:'$BAD/"),
    Program("aria2", "client", "aria2c", "aria2c -q --no-conf -d . -o f http://127.0.0.1:$GOOD/; cat f; aria2c -q --no-conf http://127.0.0.1:$BAD/; echo $?"),
    Program("git", "client", "git", "git ls-remote http://127.0.0.1:$BAD/x; git ls-remote git://127.0.0.1:$BAD/x"),
    Program("rsync", "client", "rsync", "rsync rsync://127.0.0.1:$BAD/"),
    Program("ssh, refused", "client", "ssh", "ssh -F none -p $BAD 127.0.0.1"),
    Program("nmap -sT", "client", "nmap", "nmap -Pn -n -sT -p $GOOD,$BAD 127.0.0.1 | grep -E '/tcp'"),
    Program("ab", "client", "ab", "ab -q -n 50 -c 5 http://127.0.0.1:$GOOD/ | grep -E '^(Complete|Failed)'; ab -n 1 http://127.0.0.1:$BAD/"),
    Program("mosquitto_pub", "client", "mosquitto_pub", "mosquitto_pub -h 127.0.0.1 -p $BAD -t t -m m"),
    Program("dig +tcp", "client", "dig", "dig +tcp +tries=1 +noall @127.0.0.1 -p $BAD a.test; echo $?"),
    Program("python urllib", "runtime", "python3", "python3 -c 'import urllib.request as u, sys\nfor p in sys.argv[1:]:\n  try: print(u.urlopen(\"http://127.0.0.1:\" + p).read())\n  except OSError as e: print(e)' $GOOD $BAD"),
    Program("python asyncio", "runtime", "python3", ASYNCIO),
    Program("python threads", "runtime", "python3", THREADS),
    Program("node", "runtime", "node", "node -e 'const n=require(\"net\");for(const p of process.argv.slice(1)){const s=n.connect(p,\"127.0.0.1\");s.on(\"connect\",()=>{s.end();console.log(\"connected\")});s.on(\"error\",e=>console.log(e.code))}' $GOOD $BAD | sort"),
    Program("java, blocking", "runtime", "java", JAVA_BLOCKING),
    Program("java, NIO", "runtime", "java", JAVA_NIO),
    Program("ruby", "runtime", "ruby", "ruby -rsocket -e 'ARGV.each { |p| begin; TCPSocket.new(\"127.0.0.1\", p).close; puts :connected; rescue => e; puts e.class; end }' $GOOD $BAD"),
    Program("perl", "runtime", "perl", "perl -MIO::Socket::INET -e 'for (@ARGV) { my $s = IO::Socket::INET->new(PeerAddr => \"127.0.0.1:$_\", Timeout => 3); print $s ? \"connected\\n\" : \"$@\\n\" }' $GOOD $BAD"),
    Program("php", "runtime", "php", "php -r 'foreach (array_slice($argv, 1) as $p) { $s = @fsockopen(\"127.0.0.1\", (int)$p, $n, $e, 3); echo $s ? \"connected\" : \"$n $e\", \"\\n\"; }' $GOOD $BAD"),
    Program("lua", "runtime", "lua5.4", "lua5.4 -e 'local s = require(\"socket\"); for _, p in ipairs{os.getenv(\"GOOD\"), os.getenv(\"BAD\")} do local c, e = s.connect(\"127.0.0.1\", tonumber(p)); print(c ~= nil, e) end'"),
    Program("tcl", "runtime", "tclsh", "echo 'foreach p $argv { if {[catch {socket 127.0.0.1 $p} e]} {puts $e} else {puts connected} }' > t; tclsh t $GOOD $BAD"),
    Program("erlang", "runtime", "erl", "HOME=$PWD erl -noshell -eval 'lists:foreach(fun(V) -> {R, _} = case gen_tcp:connect({127,0,0,1}, list_to_integer(os:getenv(V)), []) of {ok, _} -> {ok, 0}; E -> {E, 0} end, io:format(\"~p~n\", [R]) end, [\"GOOD\", \"BAD\"]), halt().'"),
    Program("go with cgo", "runtime", "go", GO_CGO),
    Program("bash, jobs and redirections", "shell", "bash", SHELL_JOBS % "bash"),
    Program("dash, jobs and redirections", "shell", "dash", SHELL_JOBS % "dash"),
    Program("zsh, jobs and redirections", "shell", "zsh", SHELL_JOBS % "zsh -f"),
    Program("ksh, jobs and redirections", "shell", "ksh", SHELL_JOBS % "ksh"),
    Program("daemon: two forks, all closed", "daemon", "python3", TWICE_FORKED),
    Program("chroot", "daemon", "unshare python3", CHROOTED),
    Program("setuid to nobody", "daemon", "python3", DROPPED),
    Program("tmux", "multiplexer", "tmux curl", TMUX),
    Program("nginx, proxying", "server", "nginx curl", NGINX),
    Program("redis", "server", "redis-server redis-cli", REDIS),
    Program("postgresql", "server", "psql pg_ctlcluster", POSTGRES),
    Program("sshd, ssh, ControlMaster", "server", "ssh ssh-keygen nc sshd", SSHD),
    Program("dnsmasq", "server", "dnsmasq dig", DNSMASQ),
    Program("haproxy", "server", "haproxy curl", HAPROXY),
    Program("built with ASan, its runtime preloaded", "sanitizer", "gcc", SANITIZED % ("address", "asan")),
    Program("built with ASan, verify_asan_link_order=0", "sanitizer", "gcc", SANITIZED_SECOND % ("address", "asan")),
    Program("built with TSan", "sanitizer", "gcc", SANITIZED_SECOND % ("thread", "tsan")),
] + [Program("%s, %s us" % (name, order), "preload", "curl python3 " + path, UNDER_PRELOAD, (path, order))
     for name, path in PRELOADS for order in ("before", "after")]
