/* SPDX-License-Identifier: MIT */
#include "shim/diagnosis/names.h"

#include <errno.h>
#include <netdb.h>
#include <stddef.h>
#include <sys/socket.h>

/* The text lies in the row: a pointer to it would cost more than it, with its relocation. */
struct name {
    int number;
    char name[16]; /* "ENOTRECOVERABLE" */
};

static const char *find(const struct name *table, size_t count, int number)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].number == number)
            return table[i].name;
    return NULL;
}

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define ROW(symbol)                                                                                \
    {                                                                                              \
        symbol, #symbol                                                                            \
    }

const char *tcpdiag_errno_name(int error)
{
    /* First what connect(2), tcp(7), ip(7) and poll(2) return; a seccomp or BPF filter may return
       any of the rest. */
    static const struct name table[] = {
        ROW(ECONNREFUSED),
        ROW(ETIMEDOUT),
        ROW(EHOSTUNREACH),
        ROW(ENETUNREACH),
        ROW(EINPROGRESS),
        ROW(EINTR),
        ROW(EACCES),
        ROW(EPERM),
        ROW(EADDRNOTAVAIL),
        ROW(EADDRINUSE),
        ROW(EAFNOSUPPORT),
        ROW(EAGAIN),
        ROW(EALREADY),
        ROW(EBADF),
        ROW(EFAULT),
        ROW(EISCONN),
        ROW(ENOTSOCK),
        ROW(EPROTOTYPE),
        ROW(EINVAL),
        ROW(ECONNRESET),
        ROW(ECONNABORTED),
        ROW(EPIPE),
        ROW(ENOTCONN),
        ROW(ENETDOWN),
        ROW(EHOSTDOWN),
        ROW(ENONET),
        ROW(ENOPROTOOPT),
        ROW(EPROTO),
        ROW(EMSGSIZE),
        ROW(ENOBUFS),
        ROW(ENOMEM),
        ROW(EMFILE),
        ROW(ENFILE),
        ROW(ENODEV),
        ROW(EIO),
        ROW(ENOSYS),
        ROW(EOPNOTSUPP),
        ROW(ENETRESET),
        ROW(ENOENT),
        ROW(EPROTONOSUPPORT),
        ROW(ESHUTDOWN),
        ROW(EDESTADDRREQ),
        ROW(ENXIO),
        ROW(ENOTUNIQ),
        ROW(ENOLINK),
        ROW(ENOKEY),
        ROW(EKEYREJECTED),
        ROW(EBUSY),
        ROW(EDOM),
        ROW(ERANGE),
        ROW(EUSERS),
        ROW(EXDEV),
        ROW(ENOSPC),
        ROW(EROFS),
        ROW(ENOTDIR),
        ROW(EISDIR),
        ROW(ESRCH),
        ROW(E2BIG),
        ROW(ENOEXEC),
        ROW(ECHILD),
        ROW(ENOTBLK),
        ROW(EEXIST),
        ROW(ENOTTY),
        ROW(ETXTBSY),
        ROW(EFBIG),
        ROW(ESPIPE),
        ROW(EMLINK),
        ROW(EDEADLK),
        ROW(ENAMETOOLONG),
        ROW(ENOLCK),
        ROW(ENOTEMPTY),
        ROW(ELOOP),
        ROW(ENOMSG),
        ROW(EIDRM),
        ROW(ECHRNG),
        ROW(EL2NSYNC),
        ROW(EL3HLT),
        ROW(EL3RST),
        ROW(ELNRNG),
        ROW(EUNATCH),
        ROW(ENOCSI),
        ROW(EL2HLT),
        ROW(EBADE),
        ROW(EBADR),
        ROW(EXFULL),
        ROW(ENOANO),
        ROW(EBADRQC),
        ROW(EBADSLT),
        ROW(EBFONT),
        ROW(ENOSTR),
        ROW(ENODATA),
        ROW(ETIME),
        ROW(ENOSR),
        ROW(ENOPKG),
        ROW(EREMOTE),
        ROW(EADV),
        ROW(ESRMNT),
        ROW(ECOMM),
        ROW(EMULTIHOP),
        ROW(EDOTDOT),
        ROW(EBADMSG),
        ROW(EOVERFLOW),
        ROW(EBADFD),
        ROW(EREMCHG),
        ROW(ELIBACC),
        ROW(ELIBBAD),
        ROW(ELIBSCN),
        ROW(ELIBMAX),
        ROW(ELIBEXEC),
        ROW(EILSEQ),
        ROW(ERESTART),
        ROW(ESTRPIPE),
        ROW(ESOCKTNOSUPPORT),
        ROW(EPFNOSUPPORT),
        ROW(ETOOMANYREFS),
        ROW(ESTALE),
        ROW(EUCLEAN),
        ROW(ENOTNAM),
        ROW(ENAVAIL),
        ROW(EISNAM),
        ROW(EREMOTEIO),
        ROW(EDQUOT),
        ROW(ENOMEDIUM),
        ROW(EMEDIUMTYPE),
        ROW(ECANCELED),
        ROW(EKEYEXPIRED),
        ROW(EKEYREVOKED),
        ROW(EOWNERDEAD),
        ROW(ENOTRECOVERABLE),
        ROW(ERFKILL),
        ROW(EHWPOISON),
    };
    return find(table, COUNT(table), error);
}

const char *tcpdiag_gai_name(int code)
{
    /* Numbers beside the names: musl's header leaves some out, and both libcs use the same. */
    static const struct name table[] = {
        {-1, "EAI_BADFLAGS"},     {-2, "EAI_NONAME"},     {-3, "EAI_AGAIN"},
        {-4, "EAI_FAIL"},         {-5, "EAI_NODATA"},     {-6, "EAI_FAMILY"},
        {-7, "EAI_SOCKTYPE"},     {-8, "EAI_SERVICE"},    {-9, "EAI_ADDRFAMILY"},
        {-10, "EAI_MEMORY"},      {-11, "EAI_SYSTEM"},    {-12, "EAI_OVERFLOW"},
        {-100, "EAI_INPROGRESS"}, {-101, "EAI_CANCELED"}, {-102, "EAI_NOTCANCELED"},
        {-103, "EAI_ALLDONE"},    {-104, "EAI_INTR"},     {-105, "EAI_IDN_ENCODE"},
    };
    return find(table, COUNT(table), code);
}

const char *tcpdiag_h_errno_name(int h_error)
{
    static const struct name table[] = {
        {1, "HOST_NOT_FOUND"}, {2, "TRY_AGAIN"},       {3, "NO_RECOVERY"},
        {4, "NO_DATA"},        {-1, "NETDB_INTERNAL"},
    };
    return find(table, COUNT(table), h_error);
}

/* RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1; RFC 4443 section 3. */
static const char *icmp4_name(int type, int code)
{
    static const char *const unreachable[] = {
        "network unreachable",
        "host unreachable",
        "protocol unreachable",
        "port unreachable",
        "fragmentation needed",
        "source route failed",
        "network unknown",
        "host unknown",
        "source host isolated",
        "network administratively prohibited",
        "host administratively prohibited",
        "network unreachable for this TOS",
        "host unreachable for this TOS",
        "administratively prohibited",
        "host precedence violation",
        "precedence cutoff",
    };
    if (type == 3 && code >= 0 && code < (int)COUNT(unreachable))
        return unreachable[code];
    if (type == 11)
        return code == 0 ? "time to live exceeded" : "fragment reassembly time exceeded";
    return type == 12 ? "parameter problem" : "an ICMP error";
}

static const char *icmp6_name(int type, int code)
{
    static const char *const unreachable[] = {
        "no route to destination",
        "administratively prohibited",
        "beyond scope of source address",
        "address unreachable",
        "port unreachable",
        "source address failed policy",
        "reject route",
    };
    if (type == 1 && code >= 0 && code < (int)COUNT(unreachable))
        return unreachable[code];
    if (type == 2)
        return "packet too big";
    if (type == 3)
        return code == 0 ? "hop limit exceeded" : "fragment reassembly time exceeded";
    return type == 4 ? "parameter problem" : "an ICMPv6 error";
}

const char *tcpdiag_icmp_name(int family, int type, int code)
{
    return family == AF_INET6 ? icmp6_name(type, code) : icmp4_name(type, code);
}
