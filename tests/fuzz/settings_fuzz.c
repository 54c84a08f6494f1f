/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as the shim's settings: never beyond its buffers, and the path that the shim opens is
 * the one that the tools look for. The settings' own code alone is linked: no hook is.
 */
#include <unistd.h>

#include "shim/process/identity.h"
#include "shim/process/real.h"
#include "shim/process/settings.h"
#include "shim/process/sys.h"
#include "tests/fuzz/fuzz.h"
#include "tools/log/logpath.h"

/* The shim's own look libc's functions up beside the hooks'. */
int64_t sys_nanoseconds(clockid_t clock)
{
    struct timespec now;
    return clock_gettime(clock, &now) == 0 ? now.tv_sec * INT64_C(1000000000) + now.tv_nsec : 0;
}

const char *tcpdiag_setting(const char *name)
{
    return getenv(name);
}

static void set(struct input *input, const char *name)
{
    size_t length;
    if (take_number(input, 1) % 4 == 0) {
        unsetenv(name);
        return;
    }
    char *bytes = take_bytes(input, &length);
    char *value = strndup(bytes, length);
    CLAIM(value && setenv(name, value, 1) == 0);
    free(value);
    free(bytes);
}

static void check_place(void)
{
    struct log_place place = log_place(NULL);
    const char *log = getenv("TCPDIAG_LOG");
    CLAIM(tcpdiag_settings.to_stderr == (place.pattern == NULL));
    if (!place.pattern)
        return;
    CLAIM(tcpdiag_settings.default_place == place.default_place);
    const struct tcpdiag_text *name = &tcpdiag_identity.executable;
    char *executable = strndup(name->bytes ? name->bytes : "", name->length);
    char *path = log_path(&place, (long)getpid(), executable);
    CLAIM(executable && path);
    if (place.default_place)
        CLAIM(strcmp(path, tcpdiag_settings.path) == 0 ||
              strcmp(path, tcpdiag_settings.second_path) == 0);
    else if (strlen(path) >= sizeof tcpdiag_settings.path)
        CLAIM(!tcpdiag_settings.path[0] || (log && log[0] != '/'));
    else if (log && log[0] == '/') /* the tools make the others absolute */
        CLAIM(strcmp(path, tcpdiag_settings.path) == 0);
    free(path);
    free(executable);
    free(place.pattern);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    set(&input, "TCPDIAG_LOG");
    set(&input, "TCPDIAG_EVENTS");
    set(&input, "TCPDIAG_WARN");
    set(&input, "TCPDIAG_IPV6_RECVERR");
    set(&input, "XDG_STATE_HOME");
    set(&input, "HOME");
    memset(&tcpdiag_settings, 0, sizeof tcpdiag_settings);
    tcpdiag_identify();
    tcpdiag_settings_init();
    CLAIM(memchr(tcpdiag_settings.path, '\0', sizeof tcpdiag_settings.path));
    const char *complaint = tcpdiag_settings.complaint;
    CLAIM(tcpdiag_settings.to_stderr || tcpdiag_settings.path[0] ||
          tcpdiag_settings.default_place || complaint);
    CLAIM(!complaint || strlen(complaint) < 200); /* it has to fit tcpdiag_complain's line */
    check_place();
    return 0;
}
