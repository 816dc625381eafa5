#include "services/department/currency.h"

#include <ctype.h>

/* Codes of three letters with a space between: a code is found by its text. */
static const struct {
    int exponent;
    const char *codes;
} exponents[] = {
    {0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"},
    {3, "BHD IQD JOD KWD LYD OMR TND"},
    {4, "CLF UYW"},
    {2, "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP "
        "BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR "
        "FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR "
        "KPW KYD KZT LAK LBP LKR LRD LSL LTL LVL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN "
        "MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR "
        "SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH "
        "USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG ZWL"},
};

int currency_exponent(struct span code)
{
    char upper[4] = "";
    if (code.len != 3)
        return -1;
    for (size_t i = 0; i < 3; i++) {
        if (!isalpha((unsigned char)code.ptr[i]))
            return -1;
        upper[i] = (char)toupper((unsigned char)code.ptr[i]);
    }
    for (size_t i = 0; i < sizeof exponents / sizeof exponents[0]; i++)
        if (strstr(exponents[i].codes, upper))
            return exponents[i].exponent;
    return -1;
}
